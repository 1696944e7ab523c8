-- check: ensure_range_partitions covers a range of time without gap or overlap, whatever is there already, and locks nobody out.

-- Runs p_sql and wants it to fail with p_sqlstate, because of p_constraint where one is named.
CREATE FUNCTION pg_temp.must_fail(p_what TEXT, p_sqlstate TEXT, p_sql TEXT, p_constraint TEXT DEFAULT NULL)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_constraint TEXT;
BEGIN
    BEGIN
        EXECUTE p_sql;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
        IF SQLSTATE <> p_sqlstate OR v_constraint <> p_constraint THEN
            RAISE EXCEPTION 'check failed: % gives % (%), not % %', p_what, SQLSTATE, SQLERRM, p_sqlstate, p_constraint;
        END IF;
        RETURN;
    END;
    RAISE EXCEPTION 'check failed: % is accepted', p_what;
END;
$$;

-- Making a partition of a table in use must not stop its readers and writers.
DO $$
BEGIN
    PERFORM public.ensure_range_partitions('app.tasks', 'month', '4001-01-01 00:00:00+00', '4001-02-01 00:00:00+00');
    IF EXISTS (
        SELECT
        FROM pg_catalog.pg_locks AS l
        WHERE l.pid = pg_backend_pid()
          AND l.relation = 'app.tasks'::REGCLASS
          AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
    ) THEN
        RAISE EXCEPTION 'check failed: making a partition locks app.tasks against its users';
    END IF;
END;
$$;

-- A partition made so is a whole member: constraints, foreign keys, row triggers, row security, defaults and owner.
DO $$
DECLARE
    v_partition REGCLASS := 'app.tasks_4001_01';
    v_parent REGCLASS := 'app.tasks';
BEGIN
    IF (SELECT count(*) FROM pg_catalog.pg_index AS i WHERE i.indrelid = v_partition)
       <> (SELECT count(*) FROM pg_catalog.pg_index AS i WHERE i.indrelid = v_parent) THEN
        RAISE EXCEPTION 'check failed: a new partition has not the indexes of its table';
    END IF;
    IF (SELECT array_agg(format('%s %s', c.contype, pg_get_constraintdef(c.oid)) ORDER BY c.contype, pg_get_constraintdef(c.oid)) FROM pg_catalog.pg_constraint AS c
        WHERE c.conrelid = v_parent AND c.contype IN ('c', 'f'))
       IS DISTINCT FROM
       (SELECT array_agg(format('%s %s', c.contype, pg_get_constraintdef(c.oid)) ORDER BY c.contype, pg_get_constraintdef(c.oid)) FROM pg_catalog.pg_constraint AS c
        WHERE c.conrelid = v_partition AND c.contype IN ('c', 'f')) THEN
        RAISE EXCEPTION 'check failed: a new partition has not the constraints of its table';
    END IF;
    IF EXISTS (
        SELECT
        FROM pg_catalog.pg_trigger AS t
        WHERE t.tgrelid = v_parent
          AND t.tgtype & 1 = 1
          AND NOT EXISTS (
              SELECT
              FROM pg_catalog.pg_trigger AS c
              WHERE c.tgrelid = v_partition
                AND c.tgparentid = t.oid
                AND c.tgenabled = 'O'
          )
    ) THEN
        RAISE EXCEPTION 'check failed: a new partition has not the row triggers of its table';
    END IF;
    IF (SELECT array_agg(format('%s %s %s', a.attname, a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute AS a
        LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = v_parent AND a.attnum > 0)
       IS DISTINCT FROM
       (SELECT array_agg(format('%s %s %s', a.attname, a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute AS a
        LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = v_partition AND a.attnum > 0) THEN
        RAISE EXCEPTION 'check failed: a new partition has not the columns of its table';
    END IF;
    IF (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = v_partition)
       <> (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = v_parent) THEN
        RAISE EXCEPTION 'check failed: a new partition has not the owner of its table';
    END IF;
    IF NOT (SELECT c.relrowsecurity FROM pg_catalog.pg_class AS c WHERE c.oid = v_partition) THEN
        RAISE EXCEPTION 'check failed: a new partition of a table with row level security has none';
    END IF;
END;
$$;

-- The rest is tried on a table of its own, in a schema and under a name that need quotes.
CREATE SCHEMA "Check, it's odd";
CREATE TABLE "Check, it's odd"."Odd 'events'" (
    id BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

CREATE FUNCTION pg_temp.events()
RETURNS REGCLASS
LANGUAGE sql
AS $$ SELECT '"Check, it''s odd"."Odd ''events''"'::REGCLASS $$;

-- The partitions of that table, a line for each: name without the table's, from, to.
CREATE FUNCTION pg_temp.partitions()
RETURNS TEXT
LANGUAGE sql
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
AS $$
    SELECT string_agg(
        format('%s %s %s', replace(c.relname, 'Odd ''events''', ''),
               to_char(p.lower_bound, 'YYYY-MM-DD HH24:MI'), to_char(p.upper_bound, 'YYYY-MM-DD HH24:MI')),
        E'\n' ORDER BY p.lower_bound NULLS LAST
    )
    FROM public.list_range_partitions(pg_temp.events()) AS p
    JOIN pg_catalog.pg_class AS c ON c.oid = p.partition
$$;

-- Empties the table, makes the partitions of p_before, runs ensure_range_partitions twice, compares.
CREATE FUNCTION pg_temp.expect(
    p_what TEXT, p_before TEXT[], p_step TEXT, p_from TIMESTAMPTZ, p_to TIMESTAMPTZ, p_created INTEGER, p_after TEXT[]
)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_partition REGCLASS;
    v_bounds TEXT;
    v_n INTEGER := 0;
    v_created INTEGER;
BEGIN
    FOR v_partition IN SELECT i.inhrelid::REGCLASS FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = pg_temp.events() LOOP
        EXECUTE format('DROP TABLE %s', v_partition);
    END LOOP;
    FOREACH v_bounds IN ARRAY p_before LOOP
        v_n := v_n + 1;
        EXECUTE format('CREATE TABLE "Check, it''s odd"."before %s" PARTITION OF %s %s', v_n, pg_temp.events(), v_bounds);
    END LOOP;

    v_created := public.ensure_range_partitions(pg_temp.events(), p_step, p_from, p_to);
    IF v_created <> p_created OR pg_temp.partitions() IS DISTINCT FROM array_to_string(p_after, E'\n') THEN
        RAISE EXCEPTION E'check failed: % made % partitions:\n%\nnot % partitions:\n%',
            p_what, v_created, pg_temp.partitions(), p_created, array_to_string(p_after, E'\n');
    END IF;

    v_created := public.ensure_range_partitions(pg_temp.events(), p_step, p_from, p_to);
    IF v_created <> 0 OR pg_temp.partitions() IS DISTINCT FROM array_to_string(p_after, E'\n') THEN
        RAISE EXCEPTION 'check failed: % again made % partitions', p_what, v_created;
    END IF;
END;
$$;

SELECT pg_temp.expect('whole months of which a part is asked for', '{}', 'month',
    '2031-01-31 23:59:59+00', '2031-03-01 00:00:00+00', 2, ARRAY[
    '_2031_01 2031-01-01 00:00 2031-02-01 00:00',
    '_2031_02 2031-02-01 00:00 2031-03-01 00:00']);

SELECT pg_temp.expect('a leap day and a change of year', '{}', 'month',
    '2031-12-15 00:00:00+00', '2032-02-29 12:00:00+00', 3, ARRAY[
    '_2031_12 2031-12-01 00:00 2032-01-01 00:00',
    '_2032_01 2032-01-01 00:00 2032-02-01 00:00',
    '_2032_02 2032-02-01 00:00 2032-03-01 00:00']);

SELECT pg_temp.expect('days over a leap day', '{}', 'day',
    '2032-02-28 12:00:00+00', '2032-03-01 00:00:00.000001+00', 3, ARRAY[
    '_2032_02_28 2032-02-28 00:00 2032-02-29 00:00',
    '_2032_02_29 2032-02-29 00:00 2032-03-01 00:00',
    '_2032_03_01 2032-03-01 00:00 2032-03-02 00:00']);

SELECT pg_temp.expect('days of which a month covers some', ARRAY[
    $$FOR VALUES FROM ('2031-01-01 00:00:00+00') TO ('2031-02-01 00:00:00+00')$$], 'day',
    '2031-01-30 00:00:00+00', '2031-02-02 00:00:00+00', 1, ARRAY[
    'before 1 2031-01-01 00:00 2031-02-01 00:00',
    '_2031_02_01 2031-02-01 00:00 2031-02-02 00:00']);

SELECT pg_temp.expect('a month of which days are there', ARRAY[
    $$FOR VALUES FROM ('2031-01-30 00:00:00+00') TO ('2031-01-31 00:00:00+00')$$], 'month',
    '2031-01-01 00:00:00+00', '2031-02-01 00:00:00+00', 2, ARRAY[
    '_2031_01 2031-01-01 00:00 2031-01-30 00:00',
    'before 1 2031-01-30 00:00 2031-01-31 00:00',
    '_2031_01_from_31_000000 2031-01-31 00:00 2031-02-01 00:00']);

SELECT pg_temp.expect('open ends', ARRAY[
    $$FOR VALUES FROM (MINVALUE) TO ('2031-01-01 00:00:00+00')$$,
    $$FOR VALUES FROM ('2031-03-01 00:00:00+00') TO (MAXVALUE)$$], 'month',
    '2029-01-01 00:00:00+00', '2032-01-01 00:00:00+00', 2, ARRAY[
    'before 1  2031-01-01 00:00',
    '_2031_01 2031-01-01 00:00 2031-02-01 00:00',
    '_2031_02 2031-02-01 00:00 2031-03-01 00:00',
    'before 2 2031-03-01 00:00 ']);

SELECT pg_temp.expect('months around one that was made at Sao Paulo', ARRAY[
    $$FOR VALUES FROM ('2031-02-01 03:00:00+00') TO ('2031-03-01 03:00:00+00')$$], 'month',
    '2031-01-01 00:00:00+00', '2031-04-01 00:00:00+00', 3, ARRAY[
    '_2031_01 2031-01-01 00:00 2031-02-01 00:00',
    '_2031_02 2031-02-01 00:00 2031-02-01 03:00',
    'before 1 2031-02-01 03:00 2031-03-01 03:00',
    '_2031_03 2031-03-01 03:00 2031-04-01 00:00']);

SELECT pg_temp.expect('a DEFAULT partition without rows of that month', ARRAY['DEFAULT'], 'month',
    '2031-02-01 00:00:00+00', '2031-03-01 00:00:00+00', 1, ARRAY[
    '_2031_02 2031-02-01 00:00 2031-03-01 00:00',
    'before 1  ']);

-- What makes no sense is refused before anything is made.
SELECT pg_temp.must_fail(format('step %s, %s to %s', b.step, b.lower_bound, b.upper_bound), '22023',
    format('SELECT public.ensure_range_partitions(pg_temp.events(), %L, %L, %L)', b.step, b.lower_bound, b.upper_bound))
FROM (VALUES
    ('week', '2031-01-01 00:00:00+00', '2031-02-01 00:00:00+00'),
    (NULL, '2031-01-01 00:00:00+00', '2031-02-01 00:00:00+00'),
    ('month', NULL, '2031-02-01 00:00:00+00'),
    ('month', '2031-01-01 00:00:00+00', NULL),
    ('month', '2031-01-01 00:00:00+00', '2031-01-01 00:00:00+00'),
    ('day', '2031-02-01 00:00:00+00', '2031-01-01 00:00:00+00'),
    ('month', '-infinity', '2031-01-01 00:00:00+00'),
    ('month', '2031-01-01 00:00:00+00', 'infinity')
) AS b (step, lower_bound, upper_bound);

SELECT pg_temp.must_fail('partitions of a plain table', '42809',
    'SELECT public.ensure_range_partitions(''app.projects'', ''month'', now(), now() + INTERVAL ''1 day'')');
SELECT pg_temp.must_fail('partitions of nothing', '22004', 'SELECT * FROM public.list_range_partitions(NULL)');

-- check: create_partition and create_monthly_partitions make partitions at UTC by schema and name, and take no other table for one.

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

CREATE FUNCTION pg_temp.bounds(p_partition TEXT)
RETURNS TEXT
LANGUAGE sql
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
AS $$ SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_catalog.pg_class AS c WHERE c.oid = to_regclass(p_partition) $$;

-- The document's own call, with the schema in both names.
SELECT public.create_partition('analytics.events', 'analytics.events_4001_05_06', '4001-05-06', '4001-05-07');
-- The name alone: next to its table.
SELECT public.create_partition('app.tasks', 'tasks_4001_05', '4001-05-01', '4001-06-01');

DO $$
BEGIN
    IF pg_temp.bounds('analytics.events_4001_05_06') IS DISTINCT FROM
       'FOR VALUES FROM (''4001-05-06 00:00:00+00'') TO (''4001-05-07 00:00:00+00'')' THEN
        RAISE EXCEPTION 'check failed: analytics.events_4001_05_06 is %', pg_temp.bounds('analytics.events_4001_05_06');
    END IF;
    IF pg_temp.bounds('app.tasks_4001_05') IS DISTINCT FROM
       'FOR VALUES FROM (''4001-05-01 00:00:00+00'') TO (''4001-06-01 00:00:00+00'')' THEN
        RAISE EXCEPTION 'check failed: app.tasks_4001_05 is %', pg_temp.bounds('app.tasks_4001_05');
    END IF;
END;
$$;

-- Again, also under another name: nothing happens.
SELECT public.create_partition('app.tasks', 'app.tasks_4001_05', '4001-05-01', '4001-06-01');
SELECT public.create_partition('app.tasks', 'app.tasks_of_may', '4001-05-01', '4001-06-01');
DO $$
BEGIN
    IF to_regclass('app.tasks_of_may') IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: time that has a partition gets a table of its own';
    END IF;
END;
$$;

-- A name that something else has.
CREATE TABLE app.tasks_4001_07 (note TEXT);
SELECT pg_temp.must_fail('create_partition over a plain table', '42P07',
    'SELECT public.create_partition(''app.tasks'', ''app.tasks_4001_07'', ''4001-07-01'', ''4001-08-01'')');
SELECT pg_temp.must_fail('ensure_range_partitions over a plain table', '42P07',
    'SELECT public.ensure_range_partitions(''app.tasks'', ''month'', ''4001-07-01 00:00:00+00'', ''4001-08-01 00:00:00+00'')');
SELECT pg_temp.must_fail('the name of another partition', '42P07',
    'SELECT public.create_partition(''app.tasks'', ''app.tasks_4001_05'', ''4001-08-01'', ''4001-09-01'')');
SELECT pg_temp.must_fail('time of which a part has a partition', '42P17',
    'SELECT public.create_partition(''app.tasks'', ''app.tasks_long'', ''4001-05-15'', ''4001-06-15'')');

SELECT pg_temp.must_fail(f.what, f.sqlstate, f.sql)
FROM (VALUES
    ('a table that does not exist', '42P01', 'SELECT public.create_partition(''app.nothing'', ''x'', ''4001-01-01'', ''4001-02-01'')'),
    ('a name of three parts', '42602', 'SELECT public.create_partition(''app.tasks'', ''a.b.c'', ''4001-01-01'', ''4001-02-01'')'),
    ('a name of 64 bytes', '42602', format('SELECT public.create_partition(''app.tasks'', %L, ''4001-01-01'', ''4001-02-01'')', repeat('x', 64))),
    ('no name', '42602', 'SELECT public.create_partition(''app.tasks'', NULL, ''4001-01-01'', ''4001-02-01'')'),
    ('no end', '22023', 'SELECT public.create_partition(''app.tasks'', ''x'', ''4001-01-01'', ''infinity'')'),
    ('no time between start and end', '22023', 'SELECT public.create_partition(''app.tasks'', ''x'', ''4001-01-01'', ''4001-01-01'')'),
    ('a plain table', '42809', 'SELECT public.create_partition(''app.projects'', ''x'', ''4001-01-01'', ''4001-02-01'')'),
    ('months of a table that does not exist', '42P01', 'SELECT public.create_monthly_partitions(''app'', ''nothing'', 1)'),
    ('fewer than no months', '22023', 'SELECT public.create_monthly_partitions(''app'', ''tasks'', -1)')
) AS f (what, sqlstate, sql);

-- Months ahead are counted from this one, which is the first of them.
CREATE SCHEMA "Check f5c0ffee";
CREATE TABLE "Check f5c0ffee"."T" (at TIMESTAMPTZ NOT NULL) PARTITION BY RANGE (at);
SELECT public.create_monthly_partitions('Check f5c0ffee', 'T', 2);
DO $$
DECLARE
    v_month TIMESTAMPTZ := date_trunc('month', now(), 'UTC');
BEGIN
    IF 3 <> (SELECT count(*) FROM public.list_range_partitions('"Check f5c0ffee"."T"') AS p)
       OR v_month <> (SELECT min(p.lower_bound) FROM public.list_range_partitions('"Check f5c0ffee"."T"') AS p)
       OR to_regclass(format('"Check f5c0ffee".%I', 'T_' || to_char(v_month AT TIME ZONE 'UTC', 'YYYY_MM'))) IS NULL THEN
        RAISE EXCEPTION 'check failed: two months ahead are not this month and two more';
    END IF;
END;
$$;

-- check: retention never drops the partition of today, the DEFAULT one or the last one, and refuses to keep less than a month.

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

-- Gone at once where no transaction is open, and every block below fails: nothing is ever lost for a check.
CREATE TEMPORARY TABLE inside_transaction ON COMMIT DROP AS SELECT TRUE AS yes;

SELECT pg_temp.must_fail(format('keeping %s months', m.n), '22023', format('SELECT drop_old_partitions(%s)', m.n))
FROM (VALUES ('0'), ('-1'), ('-2147483648'), ('NULL')) AS m (n);

SELECT pg_temp.must_fail('a cutoff in the future', '22023',
    'SELECT drop_expired_partitions(''activity_mappings'', now() + INTERVAL ''1 second'')');
SELECT pg_temp.must_fail('a cutoff at the end of time', '22023',
    'SELECT drop_expired_partitions(''activity_mappings'', ''infinity'')');
SELECT pg_temp.must_fail('no cutoff', '22023',
    'SELECT drop_expired_partitions(''activity_mappings'', NULL)');
SELECT pg_temp.must_fail('no table', '22004',
    'SELECT drop_expired_partitions(NULL, now())');

CREATE TABLE check_events (id BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL) PARTITION BY RANGE (at);

DO $$
DECLARE
    v_dropped INTEGER;
BEGIN
    IF 0 <> drop_expired_partitions('check_events', now()) THEN
        RAISE EXCEPTION 'check failed: a table without partitions lost some';
    END IF;

    -- Only old ones, and a DEFAULT one: the newest stays.
    CREATE TABLE check_from_ever PARTITION OF check_events FOR VALUES FROM (MINVALUE) TO ('2001-01-01 00:00:00+00');
    CREATE TABLE check_2001 PARTITION OF check_events FOR VALUES FROM ('2001-01-01 00:00:00+00') TO ('2002-01-01 00:00:00+00');
    CREATE TABLE check_2002 PARTITION OF check_events FOR VALUES FROM ('2002-01-01 00:00:00+00') TO ('2003-01-01 00:00:00+00');
    CREATE TABLE check_rest PARTITION OF check_events DEFAULT;
    INSERT INTO check_rest (id, at) VALUES (1, '2010-01-01 00:00:00+00');

    IF 0 <> drop_expired_partitions('check_events', '2000-12-31 23:59:59.999999+00') THEN
        RAISE EXCEPTION 'check failed: a partition went before its upper bound had passed';
    END IF;
    v_dropped := drop_expired_partitions('check_events', now());
    IF v_dropped <> 2 OR to_regclass('check_2002') IS NULL OR to_regclass('check_rest') IS NULL THEN
        RAISE EXCEPTION 'check failed: of three old partitions and a DEFAULT one % were dropped', v_dropped;
    END IF;
    v_dropped := drop_expired_partitions('check_events', now());
    IF v_dropped <> 0 THEN
        RAISE EXCEPTION 'check failed: the last partition was dropped';
    END IF;

    -- One without an end is the newest, and holds today.
    CREATE TABLE check_for_ever PARTITION OF check_events FOR VALUES FROM ('2011-01-01 00:00:00+00') TO (MAXVALUE);
    v_dropped := drop_expired_partitions('check_events', now());
    IF v_dropped <> 1 OR to_regclass('check_2002') IS NOT NULL OR to_regclass('check_for_ever') IS NULL THEN
        RAISE EXCEPTION 'check failed: beside a partition without end % were dropped', v_dropped;
    END IF;
    IF 0 <> drop_expired_partitions('check_events', now()) THEN
        RAISE EXCEPTION 'check failed: a partition without end was dropped';
    END IF;
END;
$$;

-- A partition of partitions goes as a whole. A view on one is not dropped along: the drop is refused.
DO $$
BEGIN
    CREATE TABLE check_2003 PARTITION OF check_events FOR VALUES FROM ('2003-01-01 00:00:00+00') TO ('2004-01-01 00:00:00+00')
        PARTITION BY LIST (id);
    CREATE TABLE check_2003_one PARTITION OF check_2003 FOR VALUES IN (1);
    IF 1 <> drop_expired_partitions('check_events', now()) OR to_regclass('check_2003_one') IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: a partition of partitions was not dropped as a whole';
    END IF;

    CREATE TABLE check_2004 PARTITION OF check_events FOR VALUES FROM ('2004-01-01 00:00:00+00') TO ('2005-01-01 00:00:00+00');
    CREATE VIEW check_on_2004 AS SELECT e.id FROM check_2004 AS e;
    PERFORM pg_temp.must_fail('dropping what a view depends on', '2BP01', 'SELECT drop_expired_partitions(''check_events'', now())');
END;
$$;

-- Today's partition of messages outlives the shortest retention there is. The caller's lock_timeout is left alone.
DO $$
DECLARE
    v_today REGCLASS;
BEGIN
    PERFORM g.yes FROM inside_transaction AS g;
    PERFORM create_monthly_partitions();
    SELECT p.partition INTO STRICT v_today
    FROM list_range_partitions('activity_mappings') AS p
    WHERE now() >= p.lower_bound
      AND now() < p.upper_bound;

    PERFORM set_config('lock_timeout', '1234ms', TRUE);
    PERFORM drop_old_partitions(1);
    IF NOT EXISTS (SELECT FROM list_range_partitions('activity_mappings') AS p WHERE p.partition = v_today) THEN
        RAISE EXCEPTION 'check failed: drop_old_partitions(1) dropped the partition of today';
    END IF;
    IF current_setting('lock_timeout') <> '1234ms' THEN
        RAISE EXCEPTION 'check failed: drop_old_partitions left lock_timeout at %', current_setting('lock_timeout');
    END IF;

    PERFORM set_config('lock_timeout', '0', TRUE);
    PERFORM drop_old_partitions(1);
    IF current_setting('lock_timeout') <> '0' THEN
        RAISE EXCEPTION 'check failed: drop_old_partitions left lock_timeout at %', current_setting('lock_timeout');
    END IF;
END;
$$;

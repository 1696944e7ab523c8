-- check: ensure_range_partitions fills gaps and nothing else, and refuses ranges without end, unknown steps, names that are taken and tables that are not partitioned by time.

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

CREATE TABLE check_events (id BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE check_plain (id BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL);
CREATE TABLE check_by_number (id BIGINT NOT NULL) PARTITION BY RANGE (id);

DO $$
DECLARE
    v_found TEXT;
BEGIN
    CREATE TABLE check_wide PARTITION OF check_events FOR VALUES FROM ('2020-02-10 00:00:00+00') TO ('2020-04-01 00:00:00+00');
    CREATE TABLE check_rest PARTITION OF check_events DEFAULT;

    IF ensure_range_partitions('check_events', 'month', '2020-01-31 23:59:59+00', '2020-05-01 00:00:00.000001+00') <> 4 THEN
        RAISE EXCEPTION 'check failed: ensure_range_partitions does not make January, ten days of February, April and May';
    END IF;

    SELECT string_agg(format('%s %s', p.partition, COALESCE(to_char(p.upper_bound AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 'rest')), ', ' ORDER BY p.lower_bound NULLS LAST)
    INTO v_found
    FROM list_range_partitions('check_events') AS p;
    IF v_found <> 'check_events_2020_01 2020-02-01, check_events_2020_02 2020-02-10, check_wide 2020-04-01, '
                  'check_events_2020_04 2020-05-01, check_events_2020_05 2020-06-01, check_rest rest' THEN
        RAISE EXCEPTION 'check failed: the partitions are %', v_found;
    END IF;

    -- The DEFAULT partition and the last one never expire, nor what lasts beyond the cutoff.
    SELECT string_agg(p.partition::TEXT, ', ') INTO v_found FROM list_expired_partitions('check_events', '2020-03-15 00:00:00+00') AS p;
    IF v_found <> 'check_events_2020_01, check_events_2020_02' THEN
        RAISE EXCEPTION 'check failed: expired in March 2020: %', v_found;
    END IF;
    SELECT string_agg(p.partition::TEXT, ', ') INTO v_found FROM list_expired_partitions('check_events', now()) AS p;
    IF v_found <> 'check_events_2020_01, check_events_2020_02, check_wide, check_events_2020_04' THEN
        RAISE EXCEPTION 'check failed: expired by now: %', v_found;
    END IF;
END;
$$;

CREATE TABLE check_events_2021_01 (LIKE check_events);
SELECT pg_temp.must_fail('a name that another table has', '42P07',
    'SELECT ensure_range_partitions(''check_events'', ''month'', ''2021-01-01 00:00:00+00'', ''2021-02-01 00:00:00+00'')');
SELECT pg_temp.must_fail(format('the range %s to %s', r.lower_bound, r.upper_bound), '22023',
    format('SELECT ensure_range_partitions(''check_events'', ''month'', %L, %L)', r.lower_bound, r.upper_bound))
FROM (VALUES (NULL, '2021-01-01'), ('2021-01-01', NULL), ('2021-01-01', '2021-01-01'), ('2021-01-02', '2021-01-01'), ('2021-01-01', 'infinity'), ('-infinity', '2021-01-01'))
    AS r (lower_bound, upper_bound);
SELECT pg_temp.must_fail(format('the step %s', s.step), '22023',
    format('SELECT ensure_range_partitions(''check_events'', %L, ''2021-01-01'', ''2021-02-01'')', s.step))
FROM unnest(ARRAY['day', 'Month', NULL]) AS s (step);
SELECT pg_temp.must_fail(format('partitions of %s', t.name), '42809',
    format('SELECT ensure_range_partitions(%L, ''month'', ''2021-01-01'', ''2021-02-01'')', t.name))
FROM unnest(ARRAY['check_plain', 'check_by_number']) AS t (name);
SELECT pg_temp.must_fail('a cutoff in the future', '22023', 'SELECT list_expired_partitions(''check_events'', now() + INTERVAL ''1 hour'')');
SELECT pg_temp.must_fail('no cutoff', '22023', 'SELECT list_expired_partitions(''check_events'', NULL)');

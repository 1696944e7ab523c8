-- check: whatever else has the name of a partition that is needed is reported, never taken for it, and never touched.

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

-- A plain table, a view, a sequence, a partition of another table, and a partition that was detached.
CREATE TABLE check_events_2031_01 (id BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL);
INSERT INTO check_events_2031_01 (id, at) VALUES (1, '2031-01-01 00:00:00+00');
CREATE VIEW check_events_2031_02 AS SELECT 1 AS id;
CREATE SEQUENCE check_events_2031_03;
CREATE TABLE check_other (id BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE check_events_2031_04 PARTITION OF check_other FOR VALUES FROM ('2031-04-01 00:00:00+00') TO ('2031-05-01 00:00:00+00');
CREATE TABLE check_events_2031_05 PARTITION OF check_events FOR VALUES FROM ('2031-05-01 00:00:00+00') TO ('2031-06-01 00:00:00+00');
ALTER TABLE check_events DETACH PARTITION check_events_2031_05;

SELECT pg_temp.must_fail(format('the taken name of month %s', m.n), '42P07',
    format('SELECT ensure_range_partitions(''check_events'', ''month'', ''2031-0%s-01 00:00:00+00'', ''2031-0%s-02 00:00:00+00'')', m.n, m.n))
FROM generate_series(1, 5) AS m (n);

DO $$
DECLARE
    v_message TEXT;
    v_hint TEXT;
BEGIN
    BEGIN
        PERFORM ensure_range_partitions('check_events', 'month', '2031-01-01 00:00:00+00', '2031-02-01 00:00:00+00');
    EXCEPTION WHEN duplicate_table THEN
        GET STACKED DIAGNOSTICS v_message = MESSAGE_TEXT, v_hint = PG_EXCEPTION_HINT;
    END;
    IF v_message IS NULL OR v_message NOT LIKE '%check\_events\_2031\_01%not a partition%' THEN
        RAISE EXCEPTION 'check failed: the message does not name the table and what is wrong with it: %', v_message;
    END IF;
    IF v_hint NOT LIKE '%ALTER TABLE%check\_events\_2031\_01 RENAME TO%' THEN
        RAISE EXCEPTION 'check failed: the hint does not say how to go on: %', v_hint;
    END IF;
    IF 1 <> (SELECT count(*) FROM check_events_2031_01) THEN
        RAISE EXCEPTION 'check failed: the table with the name was changed';
    END IF;

    -- The statement of the hint helps.
    EXECUTE substring(v_hint FROM 'ALTER TABLE.*');
    PERFORM ensure_range_partitions('check_events', 'month', '2031-01-01 00:00:00+00', '2031-02-01 00:00:00+00');
    INSERT INTO check_events (id, at) VALUES (2, '2031-01-31 23:59:59.999999+00');
    IF 1 <> (SELECT count(*) FROM check_events_2031_01) OR 1 <> (SELECT count(*) FROM check_events_2031_01_old) THEN
        RAISE EXCEPTION 'check failed: after the hint the partition is not in place';
    END IF;

    -- A month whose time is covered needs no name, so the name may be anybody's.
    CREATE TABLE check_wide PARTITION OF check_events FOR VALUES FROM ('2031-02-01 00:00:00+00') TO ('2031-06-01 00:00:00+00');
    IF 0 <> ensure_range_partitions('check_events', 'month', '2031-02-01 00:00:00+00', '2031-06-01 00:00:00+00') THEN
        RAISE EXCEPTION 'check failed: months that are covered got partitions';
    END IF;
END;
$$;

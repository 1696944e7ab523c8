-- check: drop_old_partitions drops the months that ended before the retention, by their bounds; tables that only look like them stay.

-- Gone at once where no transaction is open, and every block below fails: nothing is ever lost for a check.
CREATE TEMPORARY TABLE inside_transaction ON COMMIT DROP AS SELECT TRUE AS yes;

-- A partition of activity_mappings from so many months before this one to so many.
CREATE FUNCTION pg_temp.partition(p_name TEXT, p_from INT, p_to INT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format(
        'CREATE TABLE %I PARTITION OF activity_mappings FOR VALUES FROM (%L) TO (%L)', p_name,
        date_trunc('month', now(), 'UTC') - make_interval(months => p_from),
        date_trunc('month', now(), 'UTC') - make_interval(months => p_to)
    );
END;
$$;

CREATE FUNCTION pg_temp.partitions()
RETURNS TEXT
LANGUAGE sql
AS $$
    SELECT string_agg(p.partition::TEXT, ', ' ORDER BY p.lower_bound NULLS LAST)
    FROM list_range_partitions('activity_mappings') AS p
$$;

DO $$
DECLARE
    v_partition REGCLASS;
    v_found TEXT;
    v_logs TEXT;
BEGIN
    PERFORM g.yes FROM inside_transaction AS g;
    -- Months are counted at UTC here too.
    PERFORM set_config('TimeZone', 'UTC', TRUE);

    -- Start without partitions: the names below then mean what they say.
    FOR v_partition IN SELECT i.inhrelid::REGCLASS FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = 'activity_mappings'::REGCLASS LOOP
        EXECUTE format('DROP TABLE %s', v_partition);
    END LOOP;

    PERFORM pg_temp.partition('check old without a name', 40, 30);
    PERFORM pg_temp.partition('activity_mappings_9999_12', 30, 29);
    PERFORM pg_temp.partition('check_month_14', 14, 13);
    PERFORM pg_temp.partition('check_month_13', 13, 12);
    PERFORM pg_temp.partition('check_month_12', 12, 11);
    PERFORM pg_temp.partition('activity_mappings_1999_01', 11, 1);
    PERFORM pg_temp.partition('check_last_month', 1, 0);
    PERFORM pg_temp.partition('check_this_month', 0, -1);

    -- Names that a comparison of names takes for old partitions.
    CREATE TABLE IF NOT EXISTS activity_mappings_1_manual_copy (id BIGINT);
    CREATE TABLE IF NOT EXISTS "activity_mappingsX2020_keep" (id BIGINT);
    CREATE TABLE IF NOT EXISTS activity_mappings_2020_01_backup (id BIGINT);
    CREATE TABLE IF NOT EXISTS activity_mappings_2020_01 (id BIGINT);
    PERFORM pg_temp.partition('activity_mappings_2020_02_detached', 60, 59);
    ALTER TABLE activity_mappings DETACH PARTITION activity_mappings_2020_02_detached;
    PERFORM ensure_range_partitions('stage_change_logs', 'quarter', '1990-01-01 00:00:00+00', '1990-04-01 00:00:00+00');
    PERFORM ensure_range_partitions('audit_logs', 'quarter', '1990-01-01 00:00:00+00', '1990-04-01 00:00:00+00');
    SELECT string_agg(i.inhrelid::TEXT, ' ' ORDER BY i.inhrelid) INTO v_logs
    FROM pg_catalog.pg_inherits AS i
    WHERE i.inhparent IN ('stage_change_logs'::REGCLASS, 'audit_logs'::REGCLASS);

    PERFORM drop_old_partitions(29);
    v_found := pg_temp.partitions();
    IF v_found <> 'check_month_14, check_month_13, check_month_12, activity_mappings_1999_01, check_last_month, check_this_month' THEN
        RAISE EXCEPTION 'check failed: drop_old_partitions(29) leaves %', v_found;
    END IF;

    PERFORM drop_old_partitions();
    v_found := pg_temp.partitions();
    IF v_found <> 'check_month_12, activity_mappings_1999_01, check_last_month, check_this_month' THEN
        RAISE EXCEPTION 'check failed: drop_old_partitions() leaves %', v_found;
    END IF;
    PERFORM drop_old_partitions(12);
    IF pg_temp.partitions() <> v_found THEN
        RAISE EXCEPTION 'check failed: drop_old_partitions(12) is not the default';
    END IF;

    -- Ten months in one partition go when the last of them has expired.
    PERFORM drop_old_partitions(2);
    v_found := pg_temp.partitions();
    IF v_found <> 'activity_mappings_1999_01, check_last_month, check_this_month' THEN
        RAISE EXCEPTION 'check failed: drop_old_partitions(2) leaves %', v_found;
    END IF;

    PERFORM drop_old_partitions(1);
    v_found := pg_temp.partitions();
    IF v_found <> 'check_last_month, check_this_month' THEN
        RAISE EXCEPTION 'check failed: drop_old_partitions(1) leaves %', v_found;
    END IF;

    IF to_regclass('activity_mappings_1_manual_copy') IS NULL
       OR to_regclass('"activity_mappingsX2020_keep"') IS NULL
       OR to_regclass('activity_mappings_2020_01_backup') IS NULL
       OR to_regclass('activity_mappings_2020_01') IS NULL
       OR to_regclass('activity_mappings_2020_02_detached') IS NULL THEN
        RAISE EXCEPTION 'check failed: drop_old_partitions dropped a table for its name';
    END IF;

    IF v_logs IS DISTINCT FROM (
        SELECT string_agg(i.inhrelid::TEXT, ' ' ORDER BY i.inhrelid)
        FROM pg_catalog.pg_inherits AS i
        WHERE i.inhparent IN ('stage_change_logs'::REGCLASS, 'audit_logs'::REGCLASS)
    ) THEN
        RAISE EXCEPTION 'check failed: drop_old_partitions dropped a partition of a log';
    END IF;

    -- The logs go the same way, when they are told to.
    PERFORM drop_expired_partitions('audit_logs', '1990-04-01 00:00:00+00');
    IF EXISTS (SELECT FROM list_range_partitions('audit_logs') AS p WHERE p.upper_bound <= '1990-04-01 00:00:00+00') THEN
        RAISE EXCEPTION 'check failed: drop_expired_partitions left an expired quarter of audit_logs';
    END IF;
END;
$$;

-- check: retention frees the ids of the messages that go, also of partitions that somebody else dropped, and keeps all others.

-- Gone at once where no transaction is open, and every block below fails: nothing is ever lost for a check.
CREATE TEMPORARY TABLE inside_transaction ON COMMIT DROP AS SELECT TRUE AS yes;

-- A time so many months before this one.
CREATE FUNCTION pg_temp.months_ago(p_months NUMERIC)
RETURNS TIMESTAMPTZ
LANGUAGE sql
SET TimeZone = 'UTC'
AS $$ SELECT date_trunc('month', now()) - make_interval(months => floor(p_months)::INT, days => (p_months % 1 * 20)::INT) $$;

CREATE FUNCTION pg_temp.partition(p_name TEXT, p_from INT, p_to INT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I PARTITION OF activity_mappings FOR VALUES FROM (%L) TO (%L)',
                   p_name, pg_temp.months_ago(p_from), pg_temp.months_ago(p_to));
END;
$$;

-- The ids, less 9e15, that are taken.
CREATE FUNCTION pg_temp.keys()
RETURNS TEXT
LANGUAGE sql
AS $$
    SELECT string_agg((k.chatwoot_message_id - 9000000000000000)::TEXT, ' ' ORDER BY k.chatwoot_message_id)
    FROM activity_message_keys AS k
    WHERE k.chatwoot_message_id >= 9000000000000000
$$;

DO $$
DECLARE
    v_partition REGCLASS;
    v_purged BIGINT;
BEGIN
    PERFORM g.yes FROM inside_transaction AS g;

    FOR v_partition IN SELECT i.inhrelid::REGCLASS FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = 'activity_mappings'::REGCLASS LOOP
        EXECUTE format('DROP TABLE %s', v_partition);
    END LOOP;
    TRUNCATE activity_message_keys;

    PERFORM pg_temp.partition('check_month_20', 20, 19);
    PERFORM pg_temp.partition('check_month_14', 14, 13);
    PERFORM pg_temp.partition('check_wide', 13, 10);
    PERFORM pg_temp.partition('check_month_02', 2, 1);
    PERFORM pg_temp.partition('check_this_month', 0, -1);
    CREATE TABLE check_rest PARTITION OF activity_mappings DEFAULT;

    -- 20: dropped by hand below. 14: expires. 13: before the cutoff, but in a partition that reaches over it.
    -- 16: before the cutoff, in the DEFAULT partition. 11, 2 and 0: younger. The second id of 14 is the first microsecond.
    INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
    SELECT 9000000000000000 + m.id, 1, 9000000000000001, 'incoming', m.at
    FROM (VALUES
        (200, pg_temp.months_ago(20)),
        (140, pg_temp.months_ago(14)),
        (141, pg_temp.months_ago(13) - INTERVAL '1 microsecond'),
        (130, pg_temp.months_ago(13)),
        (160, pg_temp.months_ago(16)),
        (110, pg_temp.months_ago(11)),
        (20, pg_temp.months_ago(2)),
        (0, pg_temp.months_ago(0))
    ) AS m (id, at);

    ALTER TABLE activity_mappings DETACH PARTITION check_month_20;
    DROP TABLE check_month_20;
    ALTER TABLE activity_mappings DETACH PARTITION check_month_02;
    IF pg_temp.keys() <> '0 20 110 130 140 141 160 200' THEN
        RAISE EXCEPTION 'check failed: before retention the keys are %', pg_temp.keys();
    END IF;

    PERFORM drop_old_partitions(12);
    IF pg_temp.keys() <> '0 20 110 130 160' THEN
        RAISE EXCEPTION 'check failed: after drop_old_partitions(12) the keys are %', pg_temp.keys();
    END IF;

    -- The ids are free for use, those of what stayed are not.
    INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
    SELECT 9000000000000000 + m.id, 1, 9000000000000001, 'incoming', now()
    FROM unnest(ARRAY[140, 141, 200]) AS m (id);
    BEGIN
        INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
        VALUES (9000000000000160, 1, 9000000000000001, 'incoming', now());
        RAISE EXCEPTION 'check failed: the id of a message in the DEFAULT partition was given away';
    EXCEPTION WHEN unique_violation THEN
        NULL;
    END;

    -- Without a DEFAULT partition, and on its own: only what no partition can hold.
    DROP TABLE check_rest;
    v_purged := purge_activity_message_keys(pg_temp.months_ago(12));
    IF v_purged <> 1 OR pg_temp.keys() <> '0 20 110 130 140 141 200' THEN
        RAISE EXCEPTION 'check failed: purging % ids left %', v_purged, pg_temp.keys();
    END IF;

    v_purged := purge_activity_message_keys(pg_temp.months_ago(12));
    IF v_purged <> 0 THEN
        RAISE EXCEPTION 'check failed: purging again freed % ids', v_purged;
    END IF;
END;
$$;

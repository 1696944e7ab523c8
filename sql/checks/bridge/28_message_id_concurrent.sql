-- check: of several sessions that insert one message id at once, each into a month of its own, one succeeds.
-- Commits sentinel rows of a message that cannot exist (below zero) and removes them.

-- dbctl: before
DELETE FROM activity_mappings WHERE chatwoot_message_id = -9000000000000028;

-- dbctl: each of 4
DO $$
BEGIN
    INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
    VALUES (
        -9000000000000028, 1, -9000000000000028, 'activity',
        -- This month or one of the next three, by the backend that runs it.
        date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + make_interval(months => pg_backend_pid() % 4)
    );
EXCEPTION WHEN unique_violation THEN
    NULL;
END;
$$;

-- dbctl: after
DO $$
DECLARE
    v_rows INT;
BEGIN
    SELECT count(*) INTO v_rows FROM activity_mappings WHERE chatwoot_message_id = -9000000000000028;
    IF v_rows <> 1 THEN
        RAISE EXCEPTION 'check failed: % sessions stored the same message id, not 1', v_rows;
    END IF;
END;
$$;

-- dbctl: cleanup
DELETE FROM activity_mappings WHERE chatwoot_message_id = -9000000000000028;

-- check: deleting or truncating messages frees their ids, and only theirs.

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

-- Gone at once where no transaction is open, and the block below fails: nothing is ever lost for a check.
CREATE TEMPORARY TABLE inside_transaction ON COMMIT DROP AS SELECT TRUE AS yes;

SELECT create_monthly_partitions();

INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
VALUES
    (9000000000000001, 1, 9000000000000001, 'incoming', now()),
    (9000000000000002, 2, 9000000000000001, 'incoming', now()),
    (9000000000000003, 3, 9000000000000001, 'incoming', date_trunc('month', now(), 'UTC') + INTERVAL '1 month');

DELETE FROM activity_mappings WHERE chatwoot_message_id = 9000000000000001;

INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
VALUES (9000000000000001, 1, 9000000000000001, 'incoming', date_trunc('month', now(), 'UTC') + INTERVAL '1 month');

SELECT pg_temp.must_fail('an id that was not deleted', '23505', $sql$
    INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
    VALUES (9000000000000002, 2, 9000000000000001, 'incoming', date_trunc('month', now(), 'UTC') + INTERVAL '1 month')
$sql$, 'activity_message_keys_pkey');

DO $$
BEGIN
    PERFORM g.yes FROM inside_transaction AS g;

    -- Several at once, from two partitions.
    DELETE FROM activity_mappings WHERE chatwoot_message_id BETWEEN 9000000000000001 AND 9000000000000002;
    IF EXISTS (
        SELECT FROM activity_message_keys AS k WHERE k.chatwoot_message_id BETWEEN 9000000000000001 AND 9000000000000002
    ) THEN
        RAISE EXCEPTION 'check failed: a deleted message keeps its id';
    END IF;
    IF NOT EXISTS (SELECT FROM activity_message_keys AS k WHERE k.chatwoot_message_id = 9000000000000003) THEN
        RAISE EXCEPTION 'check failed: a message that stays lost its id';
    END IF;

    TRUNCATE activity_mappings;
    IF EXISTS (SELECT FROM activity_message_keys) THEN
        RAISE EXCEPTION 'check failed: TRUNCATE left message ids behind';
    END IF;
END;
$$;

-- check: an UPDATE takes the message id along, within a month and to another one, and frees the old id.

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

SELECT create_monthly_partitions();

INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
VALUES
    (9000000000000001, 1, 9000000000000001, 'incoming', now()),
    (9000000000000002, 2, 9000000000000001, 'incoming', now());

SELECT pg_temp.must_fail('an id that another message has', '23505',
    'UPDATE activity_mappings SET chatwoot_message_id = 9000000000000002 WHERE chatwoot_message_id = 9000000000000001');

SELECT pg_temp.must_fail('an id that another message has, while moving to another month', '23505', $sql$
    UPDATE activity_mappings
    SET chatwoot_message_id = 9000000000000002,
        created_at = date_trunc('month', now(), 'UTC') + INTERVAL '1 month'
    WHERE chatwoot_message_id = 9000000000000001
$sql$, 'activity_message_keys_pkey');

DO $$
DECLARE
    v_this_month TIMESTAMPTZ := date_trunc('month', now(), 'UTC');
    v_next_month TIMESTAMPTZ := date_trunc('month', now(), 'UTC') + INTERVAL '40 days';
    v_keys TEXT;
    v_step RECORD;
BEGIN
    FOR v_step IN
        SELECT s.what, s.statement, s.message_id, s.created_at
        FROM (VALUES
            (1, 'another id', 'chatwoot_message_id = 9000000000000003', 9000000000000003, now()),
            (2, 'another time in the month', format('created_at = %L', v_this_month), 9000000000000003, v_this_month),
            (3, 'another month', format('created_at = %L', v_next_month), 9000000000000003, v_next_month),
            (4, 'another month and id', format('created_at = %L, chatwoot_message_id = 9000000000000004', v_this_month),
                9000000000000004, v_this_month),
            (5, 'nothing of the key', 'krayin_activity_id = 77', 9000000000000004, v_this_month)
        ) AS s (n, what, statement, message_id, created_at)
        ORDER BY s.n
    LOOP
        EXECUTE format(
            'UPDATE activity_mappings SET %s WHERE chatwoot_message_id IN (9000000000000001, 9000000000000003, 9000000000000004)',
            v_step.statement
        );
        SELECT string_agg(format('%s at %s', k.chatwoot_message_id, k.created_at), ', ') INTO v_keys
        FROM activity_message_keys AS k
        WHERE k.chatwoot_message_id IN (9000000000000001, 9000000000000003, 9000000000000004);
        IF v_keys IS DISTINCT FROM format('%s at %s', v_step.message_id, v_step.created_at) THEN
            RAISE EXCEPTION 'check failed: after an update to % the keys are: %', v_step.what, v_keys;
        END IF;
    END LOOP;

    -- The ids it had on the way are free again.
    INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type)
    VALUES
        (9000000000000001, 1, 9000000000000001, 'incoming'),
        (9000000000000003, 3, 9000000000000001, 'incoming');
END;
$$;

-- Several rows that move in one statement.
DO $$
BEGIN
    UPDATE activity_mappings
    SET created_at = date_trunc('month', now(), 'UTC') + INTERVAL '70 days'
    WHERE chatwoot_message_id BETWEEN 9000000000000001 AND 9000000000000004;

    IF 4 <> (
        SELECT count(*)
        FROM activity_message_keys AS k
        WHERE k.chatwoot_message_id BETWEEN 9000000000000001 AND 9000000000000004
          AND k.created_at = date_trunc('month', now(), 'UTC') + INTERVAL '70 days'
    ) THEN
        RAISE EXCEPTION 'check failed: four messages moved, their keys did not';
    END IF;
END;
$$;

-- A row that came with an attached partition has no key yet; changing it gives it one.
DO $$
BEGIN
    DELETE FROM activity_message_keys AS k WHERE k.chatwoot_message_id = 9000000000000001;
    UPDATE activity_mappings SET chatwoot_message_id = 9000000000000005 WHERE chatwoot_message_id = 9000000000000001;
    IF NOT EXISTS (SELECT FROM activity_message_keys AS k WHERE k.chatwoot_message_id = 9000000000000005) THEN
        RAISE EXCEPTION 'check failed: a message without a key did not get one by its update';
    END IF;
END;
$$;

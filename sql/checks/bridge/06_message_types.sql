-- check: a message is incoming, outgoing or activity, and no column is left empty.

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

INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type)
VALUES
    (9000000000000001, 1, 9000000000000001, 'incoming'),
    (9000000000000002, 2, 9000000000000001, 'outgoing'),
    (9000000000000003, 3, 9000000000000001, 'activity');

SELECT pg_temp.must_fail(format('the message type %L', t.message_type), '23514',
    format('INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type)
            VALUES (9000000000000004, 4, 9000000000000001, %L)', t.message_type),
    'chk_activity_mappings_message_type')
FROM unnest(ARRAY['template', 'Incoming', '']) AS t (message_type);

SELECT pg_temp.must_fail(format('a message without %I', c.name), '23502',
    format('UPDATE activity_mappings SET %I = NULL WHERE chatwoot_message_id = 9000000000000001', c.name))
FROM unnest(ARRAY['chatwoot_message_id', 'krayin_activity_id', 'conversation_id', 'message_type']) AS c (name);

SELECT pg_temp.must_fail('a second row with the same id and created_at', '23505', $sql$
    INSERT INTO activity_mappings (id, chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
    SELECT a.id, 9000000000000005, 5, a.conversation_id, a.message_type, a.created_at
    FROM activity_mappings AS a
    WHERE a.chatwoot_message_id = 9000000000000001
$sql$);

-- check: a conversation is mapped once, starts open and empty, and knows four states.

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

DO $$
DECLARE
    v_row conversation_mappings;
BEGIN
    INSERT INTO conversation_mappings (chatwoot_conversation_id, krayin_lead_id)
    VALUES (9000000000000001, 9000000000000101);

    SELECT c.* INTO STRICT v_row FROM conversation_mappings AS c WHERE c.chatwoot_conversation_id = 9000000000000001;
    IF (v_row.status, v_row.message_count) <> ('open', 0)
       OR v_row.last_message_at IS NOT NULL
       OR v_row.first_response_at IS NOT NULL
       OR v_row.resolved_at IS NOT NULL
       OR v_row.created_at <> now()
       OR v_row.updated_at <> now() THEN
        RAISE EXCEPTION 'check failed: the defaults of conversation_mappings give %', v_row;
    END IF;

    INSERT INTO conversation_mappings (chatwoot_conversation_id, krayin_lead_id, status)
    SELECT 9000000000000010 + s.n, 9000000000000101, s.status
    FROM unnest(ARRAY['open', 'resolved', 'pending', 'snoozed']) WITH ORDINALITY AS s (status, n);
END;
$$;

SELECT pg_temp.must_fail(format('the status %L', s.status), '23514',
    format('UPDATE conversation_mappings SET status = %L WHERE chatwoot_conversation_id = 9000000000000001', s.status),
    'chk_conversation_mappings_status')
FROM unnest(ARRAY['closed', 'Open', '', ' open']) AS s (status);

SELECT pg_temp.must_fail('no status', '23502',
    'UPDATE conversation_mappings SET status = NULL WHERE chatwoot_conversation_id = 9000000000000001');

SELECT pg_temp.must_fail('a negative message_count', '23514',
    'UPDATE conversation_mappings SET message_count = -1 WHERE chatwoot_conversation_id = 9000000000000001',
    'chk_conversation_mappings_message_count');

SELECT pg_temp.must_fail('a second mapping of a conversation', '23505',
    'INSERT INTO conversation_mappings (chatwoot_conversation_id, krayin_lead_id) VALUES (9000000000000001, 9000000000000102)',
    'conversation_mappings_chatwoot_conversation_id_key');

SELECT pg_temp.must_fail('a conversation without lead', '23502',
    'INSERT INTO conversation_mappings (chatwoot_conversation_id) VALUES (9000000000000002)');

-- check: a WhatsApp message is stored once however often its webhook comes, messages have known kinds, and go with their conversation, the archive too.

CREATE FUNCTION pg_temp.expect(p_what TEXT, p_got TEXT, p_wanted TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    IF p_got IS DISTINCT FROM p_wanted THEN
        RAISE EXCEPTION 'check failed: % is %, not %', p_what, COALESCE(p_got, 'null'), COALESCE(p_wanted, 'null');
    END IF;
END;
$$;
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
-- Two consultants, A and B, with a lead, a flow and a conversation each.
INSERT INTO consultants (id, email, password_hash, name, whatsapp_number, vertical, slug)
VALUES
    ('c0000000-0000-4000-8000-00000000000a', 'a@check.invalid', 'hash of A', 'Check A', '+550000000000', 'insurance', 'check-slug-a'),
    ('c0000000-0000-4000-8000-00000000000b', 'b@check.invalid', 'hash of B', 'Check B', '+550000000000', 'insurance', 'check-slug-b');

INSERT INTO leads (id, consultant_id, whatsapp_number, name)
VALUES
    ('1ead0000-0000-4000-8000-00000000000a', 'c0000000-0000-4000-8000-00000000000a', '+550000000001', 'Lead of A'),
    ('1ead0000-0000-4000-8000-00000000000b', 'c0000000-0000-4000-8000-00000000000b', '+550000000001', 'Lead of B');

INSERT INTO flows (id, name, vertical, definition, created_by)
VALUES
    ('f1000000-0000-4000-8000-00000000000a', 'Flow of A', 'insurance', '{}', 'c0000000-0000-4000-8000-00000000000a'),
    ('f1000000-0000-4000-8000-00000000000b', 'Flow of B', 'insurance', '{}', 'c0000000-0000-4000-8000-00000000000b');

INSERT INTO conversations (id, lead_id, flow_id)
VALUES
    ('c0170000-0000-4000-8000-00000000000a', '1ead0000-0000-4000-8000-00000000000a', 'f1000000-0000-4000-8000-00000000000a'),
    ('c0170000-0000-4000-8000-00000000000b', '1ead0000-0000-4000-8000-00000000000b', 'f1000000-0000-4000-8000-00000000000b');
INSERT INTO messages (id, conversation_id, direction, content, whatsapp_message_id)
VALUES ('a0000000-0000-4000-8000-00000000000a', 'c0170000-0000-4000-8000-00000000000a', 'inbound', 'Oi', 'wamid.check-1');
SELECT
    pg_temp.expect('the default of message_type', m.message_type, 'text'),
    pg_temp.expect('the default of status', m.status, 'sent')
FROM messages AS m
WHERE m.id = 'a0000000-0000-4000-8000-00000000000a';

SELECT pg_temp.must_fail('the same message again, in another conversation', '23505',
    'INSERT INTO messages (conversation_id, direction, content, whatsapp_message_id)
     VALUES (''c0170000-0000-4000-8000-00000000000b'', ''inbound'', ''Oi'', ''wamid.check-1'')', 'idx_messages_whatsapp_id_unique');
INSERT INTO messages (conversation_id, direction, content, whatsapp_message_id)
VALUES ('c0170000-0000-4000-8000-00000000000a', 'inbound', 'Oi', 'wamid.check-1')
ON CONFLICT (whatsapp_message_id) WHERE whatsapp_message_id IS NOT NULL DO NOTHING;
INSERT INTO messages (conversation_id, direction, content) VALUES ('c0170000-0000-4000-8000-00000000000a', 'outbound', 'Olá'), ('c0170000-0000-4000-8000-00000000000a', 'outbound', 'Olá');
SELECT pg_temp.expect('the number of messages', count(*)::TEXT, '3') FROM messages WHERE conversation_id = 'c0170000-0000-4000-8000-00000000000a';

SELECT pg_temp.must_fail(v.what, '23514', format('UPDATE messages SET %I = %L WHERE id = ''a0000000-0000-4000-8000-00000000000a''', v.column, v.value), v.reason)
FROM (VALUES
    ('an unknown direction', 'direction', 'sideways', 'messages_direction_check'),
    ('an unknown type', 'message_type', 'video', 'messages_message_type_check'),
    ('an unknown status', 'status', 'lost', 'messages_status_check')
) AS v (what, "column", value, reason);
SELECT pg_temp.must_fail('a message without content', '23502', 'UPDATE messages SET content = NULL WHERE id = ''a0000000-0000-4000-8000-00000000000a''');
SELECT pg_temp.must_fail('a message of no conversation', '23503',
    'INSERT INTO messages (conversation_id, direction, content) VALUES (''c0000000-0000-4000-8000-00000000000f'', ''inbound'', ''Oi'')', 'messages_conversation_id_fkey');

INSERT INTO messages_archive (id, conversation_id, direction, content, message_type, status, created_at)
SELECT m.id, m.conversation_id, m.direction, m.content, m.message_type, m.status, m.created_at
FROM messages AS m
WHERE m.id = 'a0000000-0000-4000-8000-00000000000a';

DELETE FROM leads WHERE id = '1ead0000-0000-4000-8000-00000000000a';
SELECT pg_temp.expect('the number of messages of a deleted lead', count(*)::TEXT, '0') FROM messages WHERE conversation_id = 'c0170000-0000-4000-8000-00000000000a';
SELECT pg_temp.expect('the number of archived messages of a deleted lead', count(*)::TEXT, '0') FROM messages_archive WHERE id = 'a0000000-0000-4000-8000-00000000000a';

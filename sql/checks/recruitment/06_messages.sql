-- check: a message is incoming, outgoing, activity or template, and is sent, delivered, read or failed.

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

CREATE TEMPORARY TABLE check_conversation AS
WITH a AS (
    INSERT INTO accounts (name) VALUES ('check') RETURNING id
), i AS (
    INSERT INTO inboxes (account_id, name, channel_type) SELECT a.id, 'check', 'Channel::WhatsApp' FROM a RETURNING id, account_id
), c AS (
    INSERT INTO conversations (account_id, inbox_id) SELECT i.account_id, i.id FROM i RETURNING id, account_id
)
SELECT c.id, c.account_id FROM c;

DO $$
BEGIN
    INSERT INTO messages (account_id, conversation_id, message_type, status)
    SELECT c.account_id, c.id, t.message_type, s.status
    FROM check_conversation AS c
    CROSS JOIN unnest(ARRAY['incoming', 'outgoing', 'activity', 'template']) AS t (message_type)
    CROSS JOIN unnest(ARRAY['sent', 'delivered', 'read', 'failed']) AS s (status);
EXCEPTION WHEN check_violation THEN
    RAISE EXCEPTION 'check failed: a type or status that the document has is refused: %', SQLERRM;
END;
$$;

SELECT pg_temp.must_fail('a message type that is none', '23514', $sql$
    INSERT INTO messages (account_id, conversation_id, message_type) SELECT c.account_id, c.id, 'private' FROM check_conversation AS c
$sql$, 'messages_message_type_check');

SELECT pg_temp.must_fail('no message type', '23502', $sql$
    INSERT INTO messages (account_id, conversation_id) SELECT c.account_id, c.id FROM check_conversation AS c
$sql$);

SELECT pg_temp.must_fail('a message status that is none', '23514', $sql$
    INSERT INTO messages (account_id, conversation_id, message_type, status)
    SELECT c.account_id, c.id, 'outgoing', 'queued' FROM check_conversation AS c
$sql$, 'messages_status_check');

SELECT pg_temp.must_fail('a message of no conversation', '23503', $sql$
    INSERT INTO messages (account_id, conversation_id, message_type) SELECT c.account_id, -1, 'incoming' FROM check_conversation AS c
$sql$, 'messages_conversation_id_fkey');

DO $$
DECLARE
    v_message messages;
BEGIN
    INSERT INTO messages (account_id, conversation_id, message_type)
    SELECT c.account_id, c.id, 'incoming' FROM check_conversation AS c
    RETURNING * INTO v_message;
    IF v_message.status IS DISTINCT FROM 'sent' OR v_message.content_type IS DISTINCT FROM 'text' THEN
        RAISE EXCEPTION 'check failed: a message starts as %', v_message;
    END IF;
END;
$$;

-- The conversation leaves, its messages with it.
DELETE FROM conversations AS c USING check_conversation AS x WHERE c.id = x.id;

DO $$
BEGIN
    IF EXISTS (SELECT FROM messages AS m JOIN check_conversation AS x ON x.id = m.conversation_id) THEN
        RAISE EXCEPTION 'check failed: messages are left of a conversation that is gone';
    END IF;
END;
$$;

-- check: a conversation is open, resolved, pending or snoozed, starts open, and has a uuid of its own.

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

CREATE TEMPORARY TABLE check_inbox AS
WITH a AS (
    INSERT INTO accounts (name) VALUES ('check') RETURNING id
), i AS (
    INSERT INTO inboxes (account_id, name, channel_type) SELECT a.id, 'check', 'Channel::WhatsApp' FROM a RETURNING id, account_id
)
SELECT i.id, i.account_id FROM i;

DO $$
BEGIN
    INSERT INTO conversations (account_id, inbox_id, status)
    SELECT i.account_id, i.id, s.status
    FROM check_inbox AS i
    CROSS JOIN unnest(ARRAY['open', 'resolved', 'pending', 'snoozed']) AS s (status);
EXCEPTION WHEN check_violation THEN
    RAISE EXCEPTION 'check failed: a status that the document has is refused: %', SQLERRM;
END;
$$;

SELECT pg_temp.must_fail('a status that is none', '23514', $sql$
    INSERT INTO conversations (account_id, inbox_id, status) SELECT i.account_id, i.id, 'closed' FROM check_inbox AS i
$sql$, 'conversations_status_check');

SELECT pg_temp.must_fail('the same uuid twice', '23505', $sql$
    INSERT INTO conversations (account_id, inbox_id, uuid)
    SELECT c.account_id, c.inbox_id, c.uuid FROM conversations AS c JOIN check_inbox AS i ON i.id = c.inbox_id LIMIT 1
$sql$, 'index_conversations_on_uuid');

SELECT pg_temp.must_fail('a conversation of no inbox', '23502', $sql$
    INSERT INTO conversations (account_id) SELECT i.account_id FROM check_inbox AS i
$sql$);

SELECT pg_temp.must_fail('a contact that does not exist', '23503', $sql$
    INSERT INTO conversations (account_id, inbox_id, contact_id) SELECT i.account_id, i.id, -1 FROM check_inbox AS i
$sql$, 'conversations_contact_id_fkey');

DO $$
DECLARE
    v_conversation conversations;
BEGIN
    INSERT INTO conversations (account_id, inbox_id)
    SELECT i.account_id, i.id FROM check_inbox AS i
    RETURNING * INTO v_conversation;
    IF v_conversation.status IS DISTINCT FROM 'open'
       OR v_conversation.uuid IS NULL
       OR v_conversation.additional_attributes IS DISTINCT FROM '{}'::JSONB
       OR v_conversation.last_activity_at IS DISTINCT FROM now() THEN
        RAISE EXCEPTION 'check failed: a conversation starts as %', v_conversation;
    END IF;
END;
$$;

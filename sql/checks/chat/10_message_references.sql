-- check: replies, robot responses, files and robot interactions refer to messages that exist, in whatever month, and keep them from being deleted.

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

-- The id of somebody or something in this check.
CREATE FUNCTION pg_temp.id(p_name TEXT)
RETURNS UUID
LANGUAGE sql
IMMUTABLE
AS $$ SELECT md5('chat check ' || p_name)::UUID $$;

INSERT INTO users (id, username, first_name, last_name, email, password_hash, account_type_informal)
SELECT pg_temp.id(n.name), 'check ' || n.name, n.name, 'Check', n.name || '@check.invalid', 'secret',
       CASE WHEN n.name = 'gil' THEN 'guest' ELSE 'member' END::user_account_type_informal_enum
FROM unnest(ARRAY['ann', 'ben', 'cat', 'dan', 'gil']) AS n (name);

INSERT INTO chat_rooms (id, creator_id) VALUES (pg_temp.id('room'), pg_temp.id('ann'));
SELECT create_monthly_partitions();

-- A reply may stand before what it replies to in one statement.
INSERT INTO messages (id, room_id, sender_id, content, reply_to_message_id, robot_response_to, created_at)
SELECT pg_temp.id(m.name), pg_temp.id('room'), pg_temp.id('ann'), m.name, pg_temp.id(m.reply_to), pg_temp.id(m.response_to),
       date_trunc('month', now(), 'UTC') + make_interval(days => m.days)
FROM (VALUES
    (1, 'reply', 'question', NULL, 40),
    (2, 'response', NULL, 'question', 70),
    (3, 'question', NULL, NULL, 1),
    (4, 'with file', NULL, NULL, 2),
    (5, 'with robot', NULL, NULL, 2),
    (6, 'alone', NULL, NULL, 3)
) AS m (n, name, reply_to, response_to, days)
ORDER BY m.n;

INSERT INTO chat_file_attachments (message_id, file_manager_file_id, original_filename, file_size, mime_type, owner_id)
VALUES (pg_temp.id('with file'), gen_random_uuid(), 'a.pdf', 1, 'application/pdf', pg_temp.id('ann'));
INSERT INTO robot_interactions (message_id, robot_id, request_data) VALUES (pg_temp.id('with robot'), 'robot', '{}');

SELECT pg_temp.must_fail(format('%s of a message that does not exist', c.column_name), '23503', format(
    'UPDATE messages SET %I = gen_random_uuid() WHERE id = %L', c.column_name, pg_temp.id('alone')), c.violated)
FROM (VALUES ('reply_to_message_id', 'fk_messages_reply_to'), ('robot_response_to', 'fk_messages_robot_response_to')) AS c (column_name, violated);
SELECT pg_temp.must_fail('a file of a message that does not exist', '23503', format($sql$
    INSERT INTO chat_file_attachments (message_id, file_manager_file_id, original_filename, file_size, mime_type, owner_id)
    VALUES (gen_random_uuid(), gen_random_uuid(), 'a.pdf', 1, 'application/pdf', %L)
$sql$, pg_temp.id('ann')), 'fk_chat_file_attachments_message');
SELECT pg_temp.must_fail('a robot interaction of a message that does not exist', '23503',
    'INSERT INTO robot_interactions (message_id, robot_id, request_data) VALUES (gen_random_uuid(), ''robot'', ''{}'')', 'fk_robot_interactions_message');
SELECT pg_temp.must_fail('a message of no room', '23503', format(
    'INSERT INTO messages (room_id, sender_id, content) VALUES (gen_random_uuid(), %L, '''')', pg_temp.id('ann')), 'fk_messages_room');
SELECT pg_temp.must_fail('a message of nobody', '23503', format(
    'INSERT INTO messages (room_id, sender_id, content) VALUES (%L, gen_random_uuid(), '''')', pg_temp.id('room')), 'fk_messages_sender');

SELECT pg_temp.must_fail(format('deleting the message "%s"', m.name), '23503', format('DELETE FROM messages WHERE id = %L', pg_temp.id(m.name)))
FROM unnest(ARRAY['question', 'with file', 'with robot']) AS m (name);
SELECT pg_temp.must_fail('another id for a message with replies', '23503', format('UPDATE messages SET id = gen_random_uuid() WHERE id = %L', pg_temp.id('question')));

-- All of them at once, or the children first, is fine; so is moving the message.
UPDATE messages SET created_at = created_at + INTERVAL '31 days' WHERE id = pg_temp.id('question');
DELETE FROM messages WHERE id IN (pg_temp.id('question'), pg_temp.id('reply'), pg_temp.id('response'));
DELETE FROM chat_file_attachments WHERE message_id = pg_temp.id('with file');
DELETE FROM messages WHERE id = pg_temp.id('with file');

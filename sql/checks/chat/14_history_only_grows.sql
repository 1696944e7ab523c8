-- check: rows of history can be added, never changed, deleted or truncated; the tables it is about cannot be truncated.

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

-- A row in each history table, for there is nothing to refuse in an empty one.
UPDATE users SET first_name = 'b' WHERE id = pg_temp.id('ann');
UPDATE chat_rooms SET name = 'b' WHERE id = pg_temp.id('room');
INSERT INTO room_participants (room_id, user_id) VALUES (pg_temp.id('room'), pg_temp.id('ann'));
INSERT INTO messages (id, room_id, sender_id, content) VALUES (pg_temp.id('message'), pg_temp.id('room'), pg_temp.id('ann'), '');
INSERT INTO chat_file_attachments (message_id, file_manager_file_id, original_filename, file_size, mime_type, owner_id)
VALUES (pg_temp.id('message'), gen_random_uuid(), 'a.pdf', 1, 'application/pdf', pg_temp.id('ann'));
INSERT INTO robot_interactions (message_id, robot_id, request_data) VALUES (pg_temp.id('message'), 'robot', '{}');
INSERT INTO escalations (source_room_id, escalation_reason, from_level, to_level, created_by_user_id)
VALUES (pg_temp.id('room'), 'check', 'T1', 'T2', pg_temp.id('ann'));
DELETE FROM chat_file_attachments WHERE message_id = pg_temp.id('message');
DELETE FROM robot_interactions WHERE message_id = pg_temp.id('message');
DELETE FROM messages WHERE id = pg_temp.id('message');
DELETE FROM escalations WHERE source_room_id = pg_temp.id('room');
DELETE FROM room_participants WHERE room_id = pg_temp.id('room');

SELECT pg_temp.must_fail(format(s.sql, t.name || '_history'), '42501', format(s.sql, t.name || '_history'))
FROM unnest(ARRAY['users', 'chat_rooms', 'room_participants', 'messages', 'chat_file_attachments', 'robot_interactions', 'escalations']) AS t (name)
CROSS JOIN unnest(ARRAY['UPDATE %I SET changed_at = now()', 'DELETE FROM %I', 'TRUNCATE %I']) AS s (sql);

SELECT pg_temp.must_fail(format('TRUNCATE %I CASCADE', t.name), '42501', format('TRUNCATE %I CASCADE', t.name))
FROM unnest(ARRAY['users', 'chat_rooms', 'room_participants', 'messages', 'chat_file_attachments', 'robot_interactions', 'escalations', 'message_keys']) AS t (name);

SELECT pg_temp.must_fail('an unknown operation', '23514', format(
    'INSERT INTO room_participants_history (operation_type, room_id, user_id, role, status, can_send_messages, can_invite_others, can_see_history,
                                            joined_at, created_at, updated_at)
     VALUES (''MERGE'', %1$L, %1$L, ''member'', ''active'', TRUE, TRUE, TRUE, now(), now(), now())', pg_temp.id('room')));

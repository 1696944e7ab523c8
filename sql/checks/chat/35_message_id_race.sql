-- check: of eight sessions that send a message with the same id at once, one succeeds.

-- dbctl: before
INSERT INTO users (id, username, first_name, last_name, email, password_hash)
VALUES (md5('chat check race user')::UUID, 'check race creator', 'Race', 'Check', 'check race creator', '');
INSERT INTO chat_rooms (id, name, creator_id)
VALUES (md5('chat check race room')::UUID, 'check race', md5('chat check race user')::UUID);

-- dbctl: each of 8
DO $$
BEGIN
    INSERT INTO messages (id, room_id, sender_id, content, created_at)
    VALUES (md5('chat check race message')::UUID, md5('chat check race room')::UUID, md5('chat check race user')::UUID, '', clock_timestamp());
    -- The others are on their way while this one holds the id.
    PERFORM pg_sleep(0.05);
EXCEPTION WHEN unique_violation THEN
    NULL;
END;
$$;

-- dbctl: after
DO $$
DECLARE
    v_messages BIGINT := (SELECT count(*) FROM messages AS m WHERE m.id = md5('chat check race message')::UUID);
BEGIN
    IF v_messages <> 1 THEN
        RAISE EXCEPTION 'check failed: % messages have the same id', v_messages;
    END IF;
END;
$$;

-- dbctl: cleanup
SET LOCAL chat.maintenance = 'on';
DELETE FROM messages WHERE room_id = md5('chat check race room')::UUID;
DELETE FROM room_participants WHERE room_id = md5('chat check race room')::UUID;
DELETE FROM chat_rooms WHERE id = md5('chat check race room')::UUID;
DELETE FROM users WHERE username LIKE 'check race %';
DELETE FROM messages_history WHERE room_id = md5('chat check race room')::UUID;
DELETE FROM room_participants_history WHERE room_id = md5('chat check race room')::UUID;
DELETE FROM chat_rooms_history WHERE id = md5('chat check race room')::UUID;
DELETE FROM users_history WHERE username LIKE 'check race %';

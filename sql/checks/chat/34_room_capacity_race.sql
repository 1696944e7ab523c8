-- check: of eight sessions that join a room with three places at once, three get in.

-- dbctl: before
INSERT INTO users (id, username, first_name, last_name, email, password_hash)
VALUES (md5('chat check race user')::UUID, 'check race creator', 'Race', 'Check', 'check race creator', '');
INSERT INTO chat_rooms (id, name, creator_id, max_participants)
VALUES (md5('chat check race room')::UUID, 'check race', md5('chat check race user')::UUID, 3);

-- dbctl: each of 8
DO $$
DECLARE
    v_user_id UUID;
BEGIN
    INSERT INTO users (username, first_name, last_name, email, password_hash)
    VALUES ('check race ' || pg_backend_pid(), 'Race', 'Check', 'check race ' || pg_backend_pid(), '')
    RETURNING id INTO v_user_id;

    INSERT INTO room_participants (room_id, user_id) VALUES (md5('chat check race room')::UUID, v_user_id);
    -- The others are on their way while this one holds its place.
    PERFORM pg_sleep(0.05);
EXCEPTION WHEN check_violation THEN
    NULL;
END;
$$;

-- dbctl: after
DO $$
DECLARE
    v_inside BIGINT := (SELECT count(*) FROM room_participants AS p WHERE p.room_id = md5('chat check race room')::UUID);
BEGIN
    IF v_inside <> 3 THEN
        RAISE EXCEPTION 'check failed: % are in a room with three places', v_inside;
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

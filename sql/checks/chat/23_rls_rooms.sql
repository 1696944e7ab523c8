-- check: a room is seen by those who are in it, changed by its moderators, and made only in one's own name.

-- The id of somebody or something in this check.
CREATE FUNCTION pg_temp.id(p_name TEXT)
RETURNS UUID
LANGUAGE sql
IMMUTABLE
AS $$ SELECT md5('chat check ' || p_name)::UUID $$;

CREATE FUNCTION pg_temp.expect(p_what TEXT, p_got TEXT, p_wanted TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    IF p_got IS DISTINCT FROM p_wanted THEN
        RAISE EXCEPTION 'check failed: % gives %, not %', p_what, COALESCE(p_got, 'NULL'), COALESCE(p_wanted, 'NULL');
    END IF;
END;
$$;

-- What p_sql gives when p_name runs it as p_role: the value of a query, the number of rows of a change, or the SQLSTATE.
CREATE FUNCTION pg_temp.as_user(p_name TEXT, p_sql TEXT, p_role TEXT DEFAULT 'chat_app')
RETURNS TEXT
LANGUAGE plpgsql
AS $$
DECLARE
    v_role TEXT := current_setting('role');
    v_result TEXT;
BEGIN
    PERFORM set_config('app.current_user_id', COALESCE(pg_temp.id(p_name)::TEXT, ''), TRUE);
    PERFORM set_config('role', p_role, TRUE);
    BEGIN
        IF p_sql ~ '^\s*(SELECT|WITH)' THEN
            EXECUTE p_sql INTO v_result;
        ELSE
            EXECUTE p_sql;
            GET DIAGNOSTICS v_result = ROW_COUNT;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        v_result := SQLSTATE;
    END;
    PERFORM set_config('role', v_role, TRUE);
    PERFORM set_config('app.current_user_id', '', TRUE);
    RETURN v_result;
END;
$$;

-- In the room: ann (its creator), mod, ben, obs, gil (a guest), dan (muted), ida (sees no history). Was in it: eve
-- (removed), fay (left), del (row deleted). In another room: gus. Suspended: sus. Supervisor: sue. In no room: nia.
CREATE FUNCTION pg_temp.people()
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM create_monthly_partitions();

    INSERT INTO users (id, username, first_name, last_name, email, password_hash, account_type_informal, current_account_status)
    SELECT pg_temp.id(n.name), 'check ' || n.name, n.name, 'Check', n.name || '@check.invalid', 'secret of ' || n.name,
           CASE WHEN n.name = 'gil' THEN 'guest' ELSE 'member' END::user_account_type_informal_enum,
           CASE WHEN n.name = 'sus' THEN 'suspended' ELSE 'active' END::user_account_status_enum
    FROM unnest(ARRAY['ann', 'mod', 'ben', 'obs', 'gil', 'dan', 'ida', 'eve', 'fay', 'del', 'gus', 'sus', 'sue', 'nia', 'bot']) AS n (name);

    INSERT INTO user_access_permissions (user_id, permission_prefix, action)
    VALUES (pg_temp.id('sue'), 'supervisor:chat', 'read'), (pg_temp.id('sue'), 'supervisor:chat', 'audit');

    INSERT INTO chat_rooms (id, name, creator_id)
    VALUES (pg_temp.id('room'), 'room', pg_temp.id('ann')), (pg_temp.id('other room'), 'other room', pg_temp.id('gus'));

    INSERT INTO room_participants (room_id, user_id, role, status, can_see_history, joined_at, deleted_at)
    SELECT pg_temp.id(p.room), pg_temp.id(p.name), p.role::participant_role_enum, p.status::participant_status_enum,
           p.name <> 'ida', now() - INTERVAL '5 minutes', CASE WHEN p.name = 'del' THEN now() END
    FROM (VALUES
        ('room', 'ann', 'member', 'active'), ('room', 'mod', 'moderator', 'active'), ('room', 'ben', 'member', 'active'),
        ('room', 'obs', 'observer', 'active'), ('room', 'gil', 'guest', 'active'), ('room', 'dan', 'member', 'muted'),
        ('room', 'ida', 'member', 'active'), ('room', 'eve', 'member', 'removed'), ('room', 'fay', 'member', 'left'),
        ('room', 'del', 'member', 'active'), ('room', 'sus', 'member', 'active'), ('other room', 'gus', 'moderator', 'active')
    ) AS p (room, name, role, status);

    -- Old: from before anybody here joined, in a month that has a partition.
    PERFORM ensure_range_partitions('messages', 'month', now() - INTERVAL '10 minutes', now());
    INSERT INTO messages (id, room_id, sender_id, message_type, content, is_robot_visible_to_guests, created_at, deleted_at)
    VALUES
        (pg_temp.id('old'), pg_temp.id('room'), pg_temp.id('ben'), 'chat', 'old', FALSE, now() - INTERVAL '10 minutes', NULL),
        (pg_temp.id('new'), pg_temp.id('room'), pg_temp.id('ben'), 'chat', 'new', FALSE, now(), NULL),
        (pg_temp.id('gone'), pg_temp.id('room'), pg_temp.id('ben'), 'chat', 'gone', FALSE, now(), now()),
        (pg_temp.id('robot'), pg_temp.id('room'), pg_temp.id('bot'), 'robot', 'robot', FALSE, now(), NULL),
        (pg_temp.id('robot null'), pg_temp.id('room'), pg_temp.id('bot'), 'robot', 'robot null', NULL, now(), NULL),
        (pg_temp.id('robot for guests'), pg_temp.id('room'), pg_temp.id('bot'), 'robot', 'robot for guests', TRUE, now(), NULL),
        (pg_temp.id('elsewhere'), pg_temp.id('other room'), pg_temp.id('gus'), 'chat', 'elsewhere', FALSE, now(), NULL);
END;
$$;

SELECT pg_temp.people();

SELECT pg_temp.expect('the rooms that ' || t.name || ' sees',
    pg_temp.as_user(t.name, $$SELECT COALESCE(string_agg(r.name, ' ' ORDER BY r.name), '-') FROM chat_rooms AS r WHERE r.name IN ('room', 'other room')$$), t.rooms)
FROM (VALUES
    ('ann', 'room'), ('mod', 'room'), ('ben', 'room'), ('obs', 'room'), ('gil', 'room'), ('dan', 'room'), ('ida', 'room'),
    ('eve', '-'), ('fay', '-'), ('del', '-'), ('sus', '-'), ('nia', '-'), ('nobody', '-'), ('gus', 'other room'), ('sue', 'other room room')
) AS t (name, rooms);

SELECT pg_temp.expect('the name changed by ' || t.name,
    pg_temp.as_user(t.name, format('UPDATE chat_rooms SET description = %L WHERE id = %L', t.name, pg_temp.id('room'))), t.result)
FROM (VALUES ('ann', '1'), ('mod', '1'), ('ben', '0'), ('obs', '0'), ('gil', '0'), ('dan', '0'), ('eve', '0'), ('gus', '0'), ('sue', '0'), ('nobody', '0')) AS t (name, result);

SELECT pg_temp.expect('giving the room away', pg_temp.as_user('ann', format('UPDATE chat_rooms SET creator_id = %L WHERE id = %L', pg_temp.id('ben'), pg_temp.id('room'))), '42501');
SELECT pg_temp.expect('deleting the room', pg_temp.as_user('ann', format('DELETE FROM chat_rooms WHERE id = %L', pg_temp.id('room'))), '42501');
SELECT pg_temp.expect('a room in one''s own name', pg_temp.as_user('nia', format('INSERT INTO chat_rooms (id, name, creator_id) VALUES (%L, ''new'', %L)', pg_temp.id('new room'), pg_temp.id('nia'))), '1');
SELECT pg_temp.expect('a room in somebody else''s name', pg_temp.as_user('nia', format('INSERT INTO chat_rooms (name, creator_id) VALUES (''x'', %L)', pg_temp.id('ben'))), '42501');
SELECT pg_temp.expect('a room of nobody', pg_temp.as_user('nobody', format('INSERT INTO chat_rooms (name, creator_id) VALUES (''x'', %L)', pg_temp.id('nobody'))), '42501');
SELECT pg_temp.expect('a room of a suspended user', pg_temp.as_user('sus', format('INSERT INTO chat_rooms (name, creator_id) VALUES (''x'', %L)', pg_temp.id('sus'))), '42501');
SELECT pg_temp.expect('a room below a room that one does not see', pg_temp.as_user('nia', format('INSERT INTO chat_rooms (name, creator_id, parent_room_id) VALUES (''x'', %L, %L)', pg_temp.id('nia'), pg_temp.id('room'))), '42501');
SELECT pg_temp.expect('RETURNING of a new room', pg_temp.as_user('nia', format('WITH r AS (INSERT INTO chat_rooms (name, creator_id) VALUES (''y'', %L) RETURNING name) SELECT r.name FROM r', pg_temp.id('nia'))), 'y');

-- The creator sees and keeps the room that nobody is in yet.
SELECT pg_temp.expect('the room before its first participant', pg_temp.as_user('nia', format('SELECT count(*) FROM chat_rooms WHERE id = %L', pg_temp.id('new room'))), '1');
SELECT pg_temp.expect('changing it', pg_temp.as_user('nia', format('UPDATE chat_rooms SET description = ''x'' WHERE id = %L', pg_temp.id('new room'))), '1');
SELECT pg_temp.expect('it, for others', pg_temp.as_user('ben', format('SELECT count(*) FROM chat_rooms WHERE id = %L', pg_temp.id('new room'))), '0');
SELECT pg_temp.expect('entering the first participants', pg_temp.as_user('nia', format(
    'INSERT INTO room_participants (room_id, user_id, role) VALUES (%1$L, %2$L, ''moderator''), (%1$L, %3$L, ''member'')', pg_temp.id('new room'), pg_temp.id('nia'), pg_temp.id('ben'))), '2');

-- A creator who is put out sees nothing of it any more; nor does anybody of a deleted room.
UPDATE room_participants SET status = 'removed' WHERE room_id = pg_temp.id('room') AND user_id = pg_temp.id('ann');
SELECT pg_temp.expect('the room for its removed creator', pg_temp.as_user('ann', format('SELECT count(*) FROM chat_rooms WHERE id = %L', pg_temp.id('room'))), '0');
SELECT pg_temp.expect('deleting the room softly', pg_temp.as_user('mod', format('UPDATE chat_rooms SET deleted_at = now() WHERE id = %L', pg_temp.id('room'))), '1');
SELECT pg_temp.expect('the deleted room', pg_temp.as_user('mod', format('SELECT count(*) FROM chat_rooms WHERE id = %L', pg_temp.id('room'))), '0');
SELECT pg_temp.expect('the messages of the deleted room', pg_temp.as_user('ben', format('SELECT count(*) FROM messages WHERE room_id = %L', pg_temp.id('room'))), '0');

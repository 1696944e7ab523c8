-- check: the histories are read with the permission supervisor:chat:audit, and written by nobody.

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

UPDATE messages SET content = 'changed' WHERE id = pg_temp.id('new');
UPDATE room_participants SET last_read_at = now() WHERE room_id = pg_temp.id('room');
UPDATE chat_rooms SET description = 'changed' WHERE id = pg_temp.id('room');
UPDATE users SET display_name = 'changed' WHERE id = pg_temp.id('ben');
INSERT INTO chat_file_attachments (message_id, file_manager_file_id, original_filename, file_size, mime_type, owner_id)
VALUES (pg_temp.id('new'), gen_random_uuid(), 'a', 1, 'text/plain', pg_temp.id('ben'));
UPDATE chat_file_attachments SET original_filename = 'changed' WHERE message_id = pg_temp.id('new');
INSERT INTO robot_interactions (message_id, robot_id, request_data) VALUES (pg_temp.id('new'), 'robot', '{}');
UPDATE robot_interactions SET status = 'failed' WHERE message_id = pg_temp.id('new');
INSERT INTO escalations (source_room_id, escalation_reason, from_level, to_level, created_by_user_id) VALUES (pg_temp.id('room'), '', 'T1', 'T2', pg_temp.id('ann'));
UPDATE escalations SET status = 'cancelled' WHERE source_room_id = pg_temp.id('room');
INSERT INTO user_access_permissions (user_id, permission_prefix, action) VALUES (pg_temp.id('ann'), 'supervisor:chat', 'read');

SELECT pg_temp.expect(format('%s for %s', h.name, t.name), pg_temp.as_user(t.name, format('SELECT count(*) > 0 FROM %I', h.name), t.role), t.seen)
FROM unnest(ARRAY['users_history', 'chat_rooms_history', 'room_participants_history', 'messages_history', 'chat_file_attachments_history',
                  'robot_interactions_history', 'escalations_history']) AS h (name)
CROSS JOIN (VALUES ('sue', 'chat_app', 'true'), ('ann', 'chat_app', 'false'), ('ben', 'chat_app', 'false'), ('nobody', 'chat_app', 'false'), ('nobody', 'chat_service', 'true')) AS t (name, role, seen);

SELECT pg_temp.expect(format('%s as %s', s.sql, r.role), pg_temp.as_user('sue', s.sql, r.role), '42501')
FROM unnest(ARRAY['DELETE FROM messages_history', 'UPDATE messages_history SET content = ''x''', 'INSERT INTO messages_history SELECT * FROM messages_history', 'TRUNCATE messages_history']) AS s (sql)
CROSS JOIN unnest(ARRAY['chat_app', 'chat_service']) AS r (role);

-- Nor with the setting of the maintenance functions: it gives no right.
SELECT set_config('chat.maintenance', 'on', TRUE);
SELECT pg_temp.expect('deleting history with chat.maintenance', pg_temp.as_user('sue', 'DELETE FROM messages_history'), '42501');

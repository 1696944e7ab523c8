-- check: without an identity chat_app sees nothing and writes nothing, with a bad one it fails; chat_service sees everything; nobody else has a way in.

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

CREATE FUNCTION pg_temp.with_setting(p_setting TEXT, p_sql TEXT)
RETURNS TEXT
LANGUAGE plpgsql
AS $$
DECLARE
    v_role TEXT := current_setting('role');
    v_result TEXT;
BEGIN
    PERFORM set_config('app.current_user_id', p_setting, TRUE);
    PERFORM set_config('role', 'chat_app', TRUE);
    BEGIN
        EXECUTE p_sql INTO v_result;
    EXCEPTION WHEN OTHERS THEN
        v_result := SQLSTATE;
    END;
    PERFORM set_config('role', v_role, TRUE);
    PERFORM set_config('app.current_user_id', '', TRUE);
    RETURN v_result;
END;
$$;

SELECT pg_temp.expect(format('%s with the identity %L', t.name, s.setting), pg_temp.with_setting(s.setting, format('SELECT count(*) FROM %I', t.name)), s.result)
FROM unnest(ARRAY['users', 'chat_rooms', 'room_participants', 'messages', 'messages_archive', 'chat_file_attachments', 'robot_interactions', 'escalations',
                  'user_access_permissions', 'access_permission_domains', 'users_history', 'messages_history']) AS t (name)
CROSS JOIN (VALUES ('', '0'), ('00000000-0000-0000-0000-000000000000', '0')) AS s (setting, result);
SELECT pg_temp.expect('messages with a bad identity', pg_temp.with_setting('ann', 'SELECT count(*) FROM messages'), '22P02');
SELECT pg_temp.expect('signed_in_user_id with ''''', pg_temp.with_setting('', 'SELECT COALESCE(signed_in_user_id()::TEXT, ''nobody'')'), 'nobody');
SELECT pg_temp.expect('signed_in_user_id of ' || t.name, pg_temp.as_user(t.name, 'SELECT COALESCE(signed_in_user_id()::TEXT, ''nobody'')'), COALESCE(pg_temp.id(t.of)::TEXT, 'nobody'))
FROM (VALUES ('ann', 'ann'), ('sus', NULL), ('nobody', NULL)) AS t (name, of);
UPDATE users SET current_account_status = 'pending-verification' WHERE id = pg_temp.id('ben');
UPDATE users SET current_account_status = 'closed' WHERE id = pg_temp.id('ida');
UPDATE users SET deleted_at = now() WHERE id = pg_temp.id('dan');
SELECT pg_temp.expect('messages for ' || t.name, pg_temp.as_user(t.name, 'SELECT count(*) > 0 FROM messages'), t.seen)
FROM (VALUES ('ben', 'true'), ('ida', 'false'), ('dan', 'false')) AS t (name, seen);

SELECT pg_temp.expect(t.name || ' for chat_service', pg_temp.as_user('nobody', format('SELECT count(*) > 0 FROM %I', t.name), 'chat_service'), 'true')
FROM unnest(ARRAY['users', 'chat_rooms', 'room_participants', 'messages', 'access_permission_domains', 'user_access_permissions']) AS t (name);
SELECT pg_temp.expect('a robot answers', pg_temp.as_user('nobody', format(
    'INSERT INTO messages (room_id, sender_id, message_type, content, robot_id, robot_response_to) VALUES (%L, %L, ''robot'', ''answer'', ''robot'', %L)',
    pg_temp.id('room'), pg_temp.id('bot'), pg_temp.id('new')), 'chat_service'), '1');
SELECT pg_temp.expect('the log-in reads the hash', pg_temp.as_user('nobody', 'SELECT u.password_hash FROM users AS u WHERE u.username = ''check ann''', 'chat_service'), 'secret of ann');
SELECT pg_temp.expect('chat_service on message_keys', pg_temp.as_user('nobody', 'SELECT count(*) FROM message_keys', 'chat_service'), '42501');
SELECT pg_temp.expect('erasing as chat_app', pg_temp.as_user('ann', format('SELECT erase_user_data(%L)', pg_temp.id('ann'))), '42501');
SELECT pg_temp.expect('erasing as chat_service', pg_temp.as_user('nobody', format('SELECT COALESCE(erase_user_data(%L)::TEXT, '''')', pg_temp.id('ben')), 'chat_service'), '');

-- check: users are seen by those who share a room with them, without email, preferences and password hash; one changes only the own profile.

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

SELECT pg_temp.expect('the users that ' || t.name || ' sees',
    pg_temp.as_user(t.name, 'SELECT COALESCE(string_agg(u.first_name, '' '' ORDER BY u.first_name), ''-'') FROM users AS u WHERE u.username LIKE ''check ___'''), t.users)
FROM (VALUES
    ('ann', 'ann ben dan del eve fay gil ida mod obs sus'), ('gil', 'ann ben dan del eve fay gil ida mod obs sus'), ('gus', 'gus'), ('nia', 'nia'), ('eve', 'eve'),
    ('sus', '-'), ('nobody', '-'), ('sue', 'ann ben bot dan del eve fay gil gus ida mod nia obs sue sus')
) AS t (name, users);

SELECT pg_temp.expect('the column ' || c.name, pg_temp.as_user('ann', format('SELECT %s FROM users', c.name)), '42501')
FROM unnest(ARRAY['password_hash', 'email', 'chat_preferences', 'users']) AS c (name);
SELECT pg_temp.expect('the own account', pg_temp.as_user('ann', 'SELECT a.username || '' '' || a.email FROM get_my_account() AS a'), 'check ann ann@check.invalid');
SELECT pg_temp.expect('the account of nobody', pg_temp.as_user('nobody', 'SELECT count(*) FROM get_my_account()'), '0');

SELECT pg_temp.expect(format('%s changes %s', t.name, t.change), pg_temp.as_user(t.name, format('UPDATE users SET %s WHERE id = %L', t.change, pg_temp.id('ann'))), t.result)
FROM (VALUES
    ('ann', 'display_name = ''Ann'', current_status = ''online'', chat_preferences = ''{"a": 1}''', '1'),
    ('ben', 'display_name = ''Ben''', '0'), ('sue', 'display_name = ''Sue''', '0'), ('nobody', 'display_name = ''x''', '0'),
    ('ann', 'account_type_informal = ''supervisor''', '42501'), ('ann', 'current_account_status = ''active''', '42501'), ('ann', 'is_email_verified = TRUE', '42501'),
    ('ann', 'username = ''x''', '42501'), ('ann', 'email = ''x''', '42501'), ('ann', 'password_hash = ''x''', '42501'), ('ann', 'deleted_at = NULL', '42501')
) AS t (name, change, result);
SELECT pg_temp.expect('a suspended user changes the profile', pg_temp.as_user('sus', format('UPDATE users SET display_name = ''x'' WHERE id = %L', pg_temp.id('sus'))), '0');
SELECT pg_temp.expect('signing up as chat_app', pg_temp.as_user('ann', 'INSERT INTO users (username, first_name, last_name, email, password_hash) VALUES ('''', '''', '''', '''', '''')'), '42501');

SELECT pg_temp.expect('the permissions that ' || t.name || ' sees', pg_temp.as_user(t.name, format(
    'SELECT count(*) FROM user_access_permissions WHERE user_id IN (%L, %L)', pg_temp.id('sue'), pg_temp.id('ann'))), t.seen)
FROM (VALUES ('sue', '2'), ('ann', '0'), ('nobody', '0')) AS t (name, seen);
SELECT pg_temp.expect('granting oneself a permission', pg_temp.as_user('ann', format(
    'INSERT INTO user_access_permissions (user_id, permission_prefix, action) VALUES (%L, ''supervisor:chat'', ''read'')', pg_temp.id('ann'))), '42501');
SELECT pg_temp.expect('has_permission of ' || t.name, pg_temp.as_user(t.name, 'SELECT has_permission(''supervisor:chat:read'')'), t.held)
FROM (VALUES ('sue', 'true'), ('ann', 'false'), ('nobody', 'false')) AS t (name, held);
SELECT pg_temp.expect('the permission prefixes', pg_temp.as_user('ann', 'SELECT count(*) >= 6 FROM access_permission_domains'), 'true');

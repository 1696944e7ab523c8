-- check: messages are read by those in the room, sent in one's own name by those who may send, and changed by their sender; a moderator may only delete them.

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

SELECT pg_temp.expect('what ' || t.name || ' reads',
    pg_temp.as_user(t.name, format('SELECT COALESCE(string_agg(m.content, '', '' ORDER BY m.content), ''-'') FROM messages AS m WHERE m.room_id IN (%L, %L)', pg_temp.id('room'), pg_temp.id('other room'))), t.contents)
FROM (VALUES
    ('ann', 'gone, new, old, robot, robot for guests, robot null'),
    ('mod', 'gone, new, old, robot, robot for guests, robot null'),
    ('ben', 'gone, new, old, robot, robot for guests, robot null'),
    ('obs', 'new, old, robot, robot for guests, robot null'),
    ('dan', 'new, old, robot, robot for guests, robot null'),
    ('ida', 'new, robot, robot for guests, robot null'),
    ('gil', 'new, old, robot for guests'),
    ('gus', 'elsewhere'),
    ('eve', '-'), ('fay', '-'), ('del', '-'), ('sus', '-'), ('nia', '-'), ('nobody', '-'),
    ('sue', 'elsewhere, gone, new, old, robot, robot for guests, robot null')
) AS t (name, contents);

CREATE FUNCTION pg_temp.send(p_by TEXT, p_as TEXT DEFAULT NULL, p_type TEXT DEFAULT 'chat', p_room TEXT DEFAULT 'room')
RETURNS TEXT
LANGUAGE sql
AS $$
    SELECT pg_temp.as_user(p_by, format('INSERT INTO messages (room_id, sender_id, message_type, content) VALUES (%L, %L, %L, ''sent'')',
                                        pg_temp.id(p_room), pg_temp.id(COALESCE(p_as, p_by)), p_type))
$$;

SELECT pg_temp.expect(t.name || ' sends', pg_temp.send(t.name), t.result)
FROM (VALUES ('ann', '1'), ('mod', '1'), ('ben', '1'), ('gil', '1'), ('ida', '1'), ('obs', '42501'), ('dan', '42501'), ('eve', '42501'), ('fay', '42501'),
             ('del', '42501'), ('gus', '42501'), ('sus', '42501'), ('nia', '42501'), ('sue', '42501')) AS t (name, result);
SELECT pg_temp.expect('ben sends as ann', pg_temp.send('ben', 'ann'), '42501');
SELECT pg_temp.expect('nobody sends', pg_temp.send('nobody'), '42501');
SELECT pg_temp.expect('ben sends to a room that he is not in', pg_temp.send('ben', NULL, 'chat', 'other room'), '42501');
SELECT pg_temp.expect('ben sends a message of type ' || t.name, pg_temp.send('ben', NULL, t.name), t.result)
FROM (VALUES ('file', '1'), ('image', '1'), ('graph', '1'), ('robot', '42501'), ('system', '42501')) AS t (name, result);

UPDATE room_participants SET can_send_messages = FALSE WHERE room_id = pg_temp.id('room') AND user_id = pg_temp.id('ben');
SELECT pg_temp.expect('ben sends without can_send_messages', pg_temp.send('ben'), '42501');
SELECT pg_temp.expect('ben changes without can_send_messages', pg_temp.as_user('ben', format('UPDATE messages SET content = ''x'' WHERE id = %L', pg_temp.id('new'))), '0');
UPDATE room_participants SET can_send_messages = TRUE WHERE room_id = pg_temp.id('room') AND user_id = pg_temp.id('ben');

SELECT pg_temp.expect(format('%s does %s', t.name, t.change), pg_temp.as_user(t.name, format('UPDATE messages SET %s WHERE id = %L', t.change, pg_temp.id('new'))), t.result)
FROM (VALUES
    (1, 'ben', 'content = ''b''', '1'),
    (2, 'obs', 'content = ''b''', '0'),
    (3, 'gus', 'content = ''b''', '0'),
    (4, 'sue', 'content = ''b''', '0'),
    (5, 'eve', 'content = ''b''', '0'),
    (6, 'ben', 'sender_id = gen_random_uuid()', '42501'),
    (7, 'ben', format('room_id = %L', pg_temp.id('other room')), '42501'),
    (8, 'mod', 'content = ''b'' || content', '42501'),
    (9, 'mod', 'deleted_at = now()', '1'),
    (10, 'ann', 'deleted_at = NULL', '1'),
    (11, 'ben', 'deleted_at = now()', '1'),
    (12, 'mod', 'deleted_at = NULL, content = ''b'' || content', '42501')
) AS t (n, name, change, result)
ORDER BY t.n;
SELECT pg_temp.expect('deleting a message for good', pg_temp.as_user('ben', 'DELETE FROM messages'), '42501');

-- Straight into a partition, around the policies.
SELECT pg_temp.expect('reading a partition', pg_temp.as_user('ben', format('SELECT count(*) FROM %s', m.tableoid::REGCLASS)), '42501')
FROM messages AS m WHERE m.id = pg_temp.id('new');

-- A room that is closed is read, and takes nothing more.
UPDATE chat_rooms SET status = 'closed' WHERE id = pg_temp.id('room');
SELECT pg_temp.expect('sending to a closed room', pg_temp.send('ben'), '42501');
SELECT pg_temp.expect('reading a closed room', pg_temp.as_user('obs', format('SELECT count(*) > 0 FROM messages WHERE room_id = %L', pg_temp.id('room'))), 'true');

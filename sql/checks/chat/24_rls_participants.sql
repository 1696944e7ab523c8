-- check: participants are seen by those in the room; only moderators change others, invitations and joining have their limits, and nobody promotes or unmutes themself.

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

SELECT pg_temp.expect('the participants that ' || t.name || ' sees',
    pg_temp.as_user(t.name, format('SELECT count(*) FROM room_participants WHERE room_id = %L', pg_temp.id('room'))), t.participants)
FROM (VALUES ('ann', '11'), ('ben', '11'), ('gil', '11'), ('dan', '11'), ('eve', '1'), ('fay', '1'), ('gus', '0'), ('nia', '0'), ('nobody', '0'), ('sue', '11')) AS t (name, participants);

CREATE FUNCTION pg_temp.add(p_by TEXT, p_whom TEXT, p_room TEXT DEFAULT 'room', p_role TEXT DEFAULT 'member', p_more TEXT DEFAULT 'can_invite_others = FALSE')
RETURNS TEXT
LANGUAGE plpgsql
AS $$
DECLARE
    v_result TEXT;
BEGIN
    v_result := pg_temp.as_user(p_by, format('INSERT INTO room_participants (room_id, user_id, role, %I) VALUES (%L, %L, %L, %s)',
        split_part(p_more, ' = ', 1), pg_temp.id(p_room), pg_temp.id(p_whom), p_role, split_part(p_more, ' = ', 2)));
    IF v_result = '1' THEN
        DELETE FROM room_participants WHERE room_id = pg_temp.id(p_room) AND user_id = pg_temp.id(p_whom);
    END IF;
    RETURN v_result;
END;
$$;

INSERT INTO chat_rooms (id, name, creator_id, room_type, is_private, status, max_participants)
SELECT pg_temp.id(r.name), r.name, pg_temp.id('gus'), r.room_type::room_type_enum, r.is_private, r.status::room_status_enum, 50
FROM (VALUES ('private', 'group', TRUE, 'active'), ('direct', 'direct', FALSE, 'active'), ('support', 'support', FALSE, 'active'), ('done', 'group', FALSE, 'closed')) AS r (name, room_type, is_private, status);
UPDATE room_participants SET can_invite_others = TRUE WHERE user_id IN (pg_temp.id('obs'), pg_temp.id('dan'));

SELECT pg_temp.expect(t.what, t.got, t.wanted)
FROM (VALUES
    ('a moderator brings in somebody', pg_temp.add('mod', 'nia'), '1'),
    ('a moderator brings in a moderator', pg_temp.add('mod', 'nia', 'room', 'moderator'), '1'),
    ('the creator brings in somebody', pg_temp.add('ann', 'nia'), '1'),
    ('a member brings in somebody', pg_temp.add('ben', 'nia'), '42501'),
    ('who may invite brings in somebody', pg_temp.add('obs', 'nia'), '1'),
    ('who may invite brings in a moderator', pg_temp.add('obs', 'nia', 'room', 'moderator'), '42501'),
    ('who may invite passes that on', pg_temp.add('obs', 'nia', 'room', 'member', 'can_invite_others = TRUE'), '42501'),
    ('who may invite enters a muted one', pg_temp.add('obs', 'nia', 'room', 'member', 'status = ''muted'''), '42501'),
    ('a muted one who might invite', pg_temp.add('dan', 'nia'), '42501'),
    ('somebody from outside brings in somebody', pg_temp.add('gus', 'nia'), '42501'),
    ('joining an open room', pg_temp.add('nia', 'nia'), '1'),
    ('joining as guest', pg_temp.add('nia', 'nia', 'room', 'guest'), '1'),
    ('joining as moderator', pg_temp.add('nia', 'nia', 'room', 'moderator'), '42501'),
    ('joining with the right to invite', pg_temp.add('nia', 'nia', 'room', 'member', 'can_invite_others = TRUE'), '42501'),
    ('joining for somebody else', pg_temp.add('nia', 'sue'), '42501'),
    ('joining a private room', pg_temp.add('nia', 'nia', 'private'), '42501'),
    ('joining a conversation of two', pg_temp.add('nia', 'nia', 'direct'), '42501'),
    ('joining a support case', pg_temp.add('nia', 'nia', 'support'), '42501'),
    ('joining a closed room', pg_temp.add('nia', 'nia', 'done'), '42501'),
    ('joining while suspended', pg_temp.add('sus', 'sus', 'other room'), '42501'),
    ('joining as nobody', pg_temp.add('nobody', 'nobody'), '42501')
) AS t (what, got, wanted);

CREATE FUNCTION pg_temp.change(p_by TEXT, p_whom TEXT, p_change TEXT)
RETURNS TEXT
LANGUAGE sql
AS $$ SELECT pg_temp.as_user(p_by, format('UPDATE room_participants SET %s WHERE room_id = %L AND user_id = %L', p_change, pg_temp.id('room'), pg_temp.id(p_whom))) $$;

SELECT pg_temp.expect(format('%s sets %s of %s', t.name, t.change, t.whom), pg_temp.change(t.name, t.whom, t.change), t.wanted)
FROM (VALUES
    (1, 'ben', 'ben', 'last_read_at = now()', '1'),
    (2, 'ben', 'ben', 'role = ''moderator''', '42501'),
    (3, 'ben', 'ben', 'can_invite_others = TRUE', '42501'),
    (4, 'ben', 'ben', 'deleted_at = now()', '42501'),
    (5, 'ida', 'ida', 'can_see_history = TRUE', '42501'),
    (6, 'ida', 'ida', 'joined_at = ''2000-01-01''', '42501'),
    (7, 'dan', 'dan', 'status = ''active''', '42501'),
    (8, 'eve', 'eve', 'status = ''active''', '42501'),
    (9, 'eve', 'eve', 'status = ''left''', '42501'),
    (10, 'ben', 'dan', 'last_read_at = now()', '0'),
    (11, 'gus', 'ben', 'status = ''removed''', '0'),
    (12, 'mod', 'ben', 'status = ''muted''', '1'),
    (13, 'mod', 'ben', 'status = ''active'', can_send_messages = FALSE', '1'),
    (14, 'ann', 'ben', 'can_send_messages = TRUE', '1'),
    (15, 'mod', 'eve', 'status = ''active''', '1'),
    (16, 'eve', 'eve', 'status = ''left'', left_at = now()', '1'),
    (17, 'eve', 'eve', 'status = ''active'', left_at = NULL', '1'),
    (18, 'dan', 'dan', 'status = ''left''', '1'),
    (19, 'dan', 'dan', 'status = ''active''', '1'),
    (20, 'dan', 'dan', 'can_send_messages = TRUE', '42501'),
    (21, 'mod', 'ben', 'user_id = gen_random_uuid()', '42501')
) AS t (n, name, whom, change, wanted)
ORDER BY t.n;

SELECT pg_temp.expect('sending after leaving while muted', p.can_send_messages::TEXT, 'false')
FROM room_participants AS p WHERE p.room_id = pg_temp.id('room') AND p.user_id = pg_temp.id('dan');

-- Who left a room that is private now does not come back alone.
UPDATE chat_rooms SET is_private = TRUE WHERE id = pg_temp.id('room');
SELECT pg_temp.expect('coming back to a private room', pg_temp.change('fay', 'fay', 'status = ''active'''), '42501');
SELECT pg_temp.expect('deleting a participant', pg_temp.as_user('mod', 'DELETE FROM room_participants'), '42501');

-- chat_service is under no such rule, and leaves its trace.
SELECT pg_temp.expect('chat_service', pg_temp.as_user('sue', format('UPDATE room_participants SET role = ''moderator'' WHERE user_id = %L', pg_temp.id('fay')), 'chat_service'), '1');
SELECT pg_temp.expect('who it was for', h.changed_by::TEXT, pg_temp.id('sue')::TEXT) FROM room_participants_history AS h WHERE h.user_id = pg_temp.id('fay');

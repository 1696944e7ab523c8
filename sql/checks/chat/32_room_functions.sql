-- check: the functions for common operations do what they say for the signed-in user, and no more than the policies allow.

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

DO $$
DECLARE
    v_room UUID;
    v_message UUID;
    v_escalation UUID;
    v_target chat_rooms;
BEGIN
    v_room := pg_temp.as_user('nia', 'SELECT create_room(''mine'', p_is_private => TRUE, p_max_participants => 2)');
    PERFORM pg_temp.expect('a new room', format('%s %s %s %s %s', r.name, r.creator_id = pg_temp.id('nia'), r.is_private, r.max_participants, r.room_type), 'mine t t 2 group')
    FROM chat_rooms AS r WHERE r.id = v_room;
    PERFORM pg_temp.expect('its participants', string_agg(format('%s %s %s', p.user_id = pg_temp.id('nia'), p.role, p.can_invite_others), ', '), 't moderator t')
    FROM room_participants AS p WHERE p.room_id = v_room;

    v_message := pg_temp.as_user('nia', format('SELECT send_message(%L, ''hello'', p_content_metadata => ''{"a": 1}'')', v_room));
    PERFORM pg_temp.expect('a sent message', format('%s %s %s %s', m.content, m.sender_id = pg_temp.id('nia'), m.delivery_status, m.content_metadata), 'hello t delivered {"a": 1}')
    FROM messages AS m WHERE m.id = v_message;
    v_message := pg_temp.as_user('nia', format('SELECT send_message(%L, ''reply'', ''chat'', %L)', v_room, v_message));
    PERFORM pg_temp.expect('a reply', (m.reply_to_message_id IS NOT NULL)::TEXT, 'true') FROM messages AS m WHERE m.id = v_message;
    PERFORM pg_temp.expect('sending to a room that one is not in', pg_temp.as_user('ben', format('SELECT send_message(%L, ''x'')', v_room)), '42501');
    PERFORM pg_temp.expect('sending as nobody', pg_temp.as_user('nobody', format('SELECT send_message(%L, ''x'')', v_room)), '42501');
    PERFORM pg_temp.expect('a room of nobody', pg_temp.as_user('nobody', 'SELECT create_room(''x'')'), '42501');

    v_escalation := pg_temp.as_user('ben', format('SELECT escalate_room(%L, ''too hard'', ''T1'', ''T3'', 1)', pg_temp.id('room')));
    PERFORM pg_temp.expect('an escalation', format('%s %s %s %s %s %s', e.source_room_id = pg_temp.id('room'), e.escalation_reason, e.from_level, e.to_level, e.priority, e.status), 't too hard T1 T3 1 created')
    FROM escalations AS e WHERE e.id = v_escalation;
    SELECT r.* INTO STRICT v_target FROM chat_rooms AS r JOIN escalations AS e ON e.target_room_id = r.id WHERE e.id = v_escalation;
    PERFORM pg_temp.expect('its room', format('%s %s %s', v_target.room_type, v_target.parent_room_id = pg_temp.id('room'), v_target.escalation_level), 'escalated t 2');
    PERFORM pg_temp.expect('escalating a room that one does not see', pg_temp.as_user('ben', format('SELECT escalate_room(%L, ''x'', ''T1'', ''T2'')', v_room)), 'P0002');
    PERFORM pg_temp.expect('an escalation of priority 9', pg_temp.as_user('ben', format('SELECT escalate_room(%L, ''x'', ''T1'', ''T2'', 9)', pg_temp.id('room'))), '23514');
END;
$$;

-- Pages: of 25 messages, some of them of the same moment, each comes once and in order.
INSERT INTO messages (id, room_id, sender_id, content, created_at)
SELECT pg_temp.id('page ' || n.n), pg_temp.id('other room'), pg_temp.id('gus'), n.n::TEXT, now() - INTERVAL '1 second' * (n.n / 3)
FROM generate_series(1, 25) AS n (n);
UPDATE messages SET deleted_at = now() WHERE id = pg_temp.id('page 7');
SELECT ensure_range_partitions('messages', 'month', now() - INTERVAL '1 minute', now());

DO $$
DECLARE
    v_all TEXT;
    v_paged TEXT[] := '{}';
    v_page UUID[];
    v_at TIMESTAMPTZ;
    v_id UUID;
BEGIN
    SELECT string_agg(m.id::TEXT, ' ' ORDER BY m.created_at DESC, m.id DESC) INTO v_all
    FROM messages AS m WHERE m.room_id = pg_temp.id('other room') AND m.deleted_at IS NULL;
    LOOP
        SELECT array_agg(p.id ORDER BY p.n), (array_agg(p.created_at ORDER BY p.n DESC))[1], (array_agg(p.id ORDER BY p.n DESC))[1]
        INTO v_page, v_at, v_id
        FROM get_room_messages(pg_temp.id('other room'), 4, v_at, v_id) WITH ORDINALITY AS p (id, room_id, sender_id, message_type, content, content_metadata,
            robot_id, robot_response_to, is_robot_visible_to_guests, delivery_status, reply_to_message_id, thread_id, created_at, updated_at, deleted_at, n);
        EXIT WHEN v_page IS NULL;
        v_paged := v_paged || v_page::TEXT[];
    END LOOP;
    PERFORM pg_temp.expect('all pages together', array_to_string(v_paged, ' '), v_all);
END;
$$;
SELECT pg_temp.expect('a page of ' || COALESCE(l.l, 'NULL'), pg_temp.as_user('gus', format('SELECT count(*) FROM get_room_messages(%L, %s)', pg_temp.id('other room'), COALESCE(l.l, 'NULL'))), l.rows)
FROM (VALUES ('3', '3'), ('0', '1'), ('-5', '1'), (NULL, '25'), ('1000', '25')) AS l (l, rows);
SELECT pg_temp.expect('a page of a room that one is not in', pg_temp.as_user('ben', format('SELECT count(*) FROM get_room_messages(%L)', pg_temp.id('other room'))), '0');

-- Unread: the messages of others since the last look; nothing marks them read but the reader.
SELECT pg_temp.expect('unread at first', pg_temp.as_user('obs', format('SELECT u.unread FROM get_unread_counts() AS u WHERE u.room_id = %L', pg_temp.id('room'))), '4');
SELECT pg_temp.expect('unread of the own messages', pg_temp.as_user('ben', format('SELECT u.unread FROM get_unread_counts() AS u WHERE u.room_id = %L', pg_temp.id('room'))), '3');
SELECT pg_temp.expect('unread for a guest', pg_temp.as_user('gil', format('SELECT u.unread FROM get_unread_counts() AS u WHERE u.room_id = %L', pg_temp.id('room'))), '2');
SELECT pg_temp.expect('reading', pg_temp.as_user('obs', format('SELECT mark_room_read(%L) IS NULL', pg_temp.id('room'))), 'false');
SELECT pg_temp.expect('unread after reading', pg_temp.as_user('obs', 'SELECT count(*) FROM get_unread_counts()'), '0');
SELECT pg_temp.expect('reading in the past', pg_temp.as_user('obs', format('SELECT mark_room_read(%L, ''2000-01-01'') IS NULL', pg_temp.id('room'))), 'false');
SELECT pg_temp.expect('unread after that', pg_temp.as_user('obs', 'SELECT count(*) FROM get_unread_counts()'), '0');
SELECT pg_temp.expect('reading a room that one is not in', pg_temp.as_user('obs', format('SELECT mark_room_read(%L)', pg_temp.id('other room'))), 'P0002');

SELECT pg_temp.expect('leaving', pg_temp.as_user('obs', format('SELECT leave_room(%L) IS NULL', pg_temp.id('room'))), 'false');
SELECT pg_temp.expect('the row of who left', format('%s %s', p.status, p.left_at IS NOT NULL), 'left t') FROM room_participants AS p WHERE p.room_id = pg_temp.id('room') AND p.user_id = pg_temp.id('obs');
SELECT pg_temp.expect('leaving twice', pg_temp.as_user('obs', format('SELECT leave_room(%L)', pg_temp.id('room'))), 'P0002');

SELECT pg_temp.expect('a member concluding', pg_temp.as_user('ben', format('SELECT conclude_room(%L)', pg_temp.id('room'))), 'P0002');
SELECT pg_temp.expect('a moderator concluding', pg_temp.as_user('mod', format('SELECT conclude_room(%L, ''solved'') IS NULL', pg_temp.id('room'))), 'false');
SELECT pg_temp.expect('the concluded room', format('%s %s %s %s', r.status, r.concluded_by_user_id = pg_temp.id('mod'), r.conclusion_summary, r.concluded_at IS NOT NULL), 'closed t solved t')
FROM chat_rooms AS r WHERE r.id = pg_temp.id('room');
SELECT pg_temp.expect('concluding twice', pg_temp.as_user('mod', format('SELECT conclude_room(%L)', pg_temp.id('room'))), 'P0002');
SELECT pg_temp.expect('sending to a concluded room', pg_temp.as_user('ben', format('SELECT send_message(%L, ''x'')', pg_temp.id('room'))), '42501');

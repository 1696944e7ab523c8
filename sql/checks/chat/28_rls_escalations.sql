-- check: an escalation is seen by those in its rooms and those it concerns, opened in one's own name, and changed by whom it is assigned to or who manages escalations.

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

INSERT INTO user_access_permissions (user_id, permission_prefix, action) VALUES
    (pg_temp.id('nia'), 'chat:escalation', 'manage'), (pg_temp.id('fay'), 'chat:escalation', 'read'), (pg_temp.id('sus'), 'chat:escalation', '*');
INSERT INTO escalations (id, source_room_id, escalation_reason, from_level, to_level, created_by_user_id, assigned_to_user_id)
VALUES (pg_temp.id('escalation'), pg_temp.id('room'), 'check', 'T1', 'T2', pg_temp.id('eve'), pg_temp.id('gus'));

SELECT pg_temp.expect('the escalation for ' || t.name, pg_temp.as_user(t.name, format('SELECT count(*) FROM escalations WHERE id = %L', pg_temp.id('escalation'))), t.seen)
FROM (VALUES ('ben', '1'), ('obs', '1'), ('dan', '1'), ('gil', '0'), ('eve', '1'), ('gus', '1'), ('nia', '1'), ('fay', '1'), ('sue', '1'), ('del', '0'), ('sus', '0'), ('nobody', '0')) AS t (name, seen);

CREATE FUNCTION pg_temp.escalate(p_source TEXT, p_target TEXT, p_by TEXT)
RETURNS TEXT
LANGUAGE sql
AS $$
    SELECT pg_temp.as_user('ben', format('INSERT INTO escalations (source_room_id, target_room_id, escalation_reason, from_level, to_level, created_by_user_id)
                                          VALUES (%L, %L, ''check'', ''T1'', ''T2'', %L)', pg_temp.id(p_source), pg_temp.id(p_target), pg_temp.id(p_by)))
$$;
SELECT pg_temp.expect('a new escalation ' || t.what, pg_temp.escalate(t.source, t.target, t.by), t.result)
FROM (VALUES
    ('of the own room', 'room', NULL, 'ben', '1'), ('of another room', 'other room', NULL, 'ben', '42501'), ('to another room', 'room', 'other room', 'ben', '42501'),
    ('in another name', 'room', NULL, 'ann', '42501')
) AS t (what, source, target, by, result);

SELECT pg_temp.expect(format('%s does %s', t.name, t.change), pg_temp.as_user(t.name, format('UPDATE escalations SET %s WHERE id = %L', t.change, pg_temp.id('escalation'))), t.result)
FROM (VALUES
    (1, 'ben', 'status = ''cancelled''', '0'), (2, 'eve', 'status = ''cancelled''', '0'), (3, 'fay', 'status = ''cancelled''', '0'), (4, 'sus', 'status = ''cancelled''', '0'),
    (5, 'gus', 'status = ''in_progress''', '1'), (6, 'nia', 'priority = 1', '1'), (7, 'gus', 'source_room_id = gen_random_uuid()', '42501'),
    (8, 'gus', format('assigned_to_user_id = %L', pg_temp.id('ben')), '42501'), (9, 'nia', format('assigned_to_user_id = %L', pg_temp.id('ben')), '1'),
    (10, 'ben', 'status = ''resolved'', resolution_notes = ''done'', resolved_at = now()', '1')
) AS t (n, name, change, result)
ORDER BY t.n;
SELECT pg_temp.expect('deleting an escalation', pg_temp.as_user('nia', 'DELETE FROM escalations'), '42501');

-- check: files and robot interactions are seen with their message, also when it is archived; a file is hung on one's own message only.

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

INSERT INTO chat_file_attachments (id, message_id, file_manager_file_id, original_filename, file_size, mime_type, owner_id)
SELECT pg_temp.id('file of ' || m.name), pg_temp.id(m.name), gen_random_uuid(), m.name, 1, 'text/plain', pg_temp.id('ben')
FROM unnest(ARRAY['old', 'new', 'gone', 'robot', 'elsewhere']) AS m (name);
INSERT INTO robot_interactions (message_id, robot_id, request_data)
SELECT pg_temp.id(m.name), m.name, '{}' FROM unnest(ARRAY['old', 'new', 'gone', 'elsewhere']) AS m (name);

SELECT pg_temp.expect('the files that ' || t.name || ' sees', pg_temp.as_user(t.name, format(
    'SELECT COALESCE(string_agg(a.original_filename, '', '' ORDER BY a.original_filename), ''-'') FROM chat_file_attachments AS a WHERE a.owner_id = %L', pg_temp.id('ben'))), t.files)
FROM (VALUES
    ('ann', 'gone, new, old, robot'), ('ben', 'gone, new, old, robot'), ('obs', 'new, old, robot'), ('dan', 'new, old, robot'), ('ida', 'new, robot'), ('gil', 'new, old'),
    ('gus', 'elsewhere'), ('eve', '-'), ('sus', '-'), ('nia', '-'), ('nobody', '-'), ('sue', 'elsewhere, gone, new, old, robot')
) AS t (name, files);

SELECT pg_temp.expect('the robot interactions that ' || t.name || ' sees', pg_temp.as_user(t.name, format(
    'SELECT COALESCE(string_agg(i.robot_id, '', '' ORDER BY i.robot_id), ''-'') FROM robot_interactions AS i WHERE i.message_id IN (%L, %L, %L, %L)',
    pg_temp.id('old'), pg_temp.id('new'), pg_temp.id('gone'), pg_temp.id('elsewhere'))), t.interactions)
FROM (VALUES ('obs', 'new, old'), ('ida', 'new'), ('gil', '-'), ('gus', 'elsewhere'), ('eve', '-'), ('nia', '-'), ('nobody', '-'), ('sue', 'elsewhere, gone, new, old')) AS t (name, interactions);

CREATE FUNCTION pg_temp.attach(p_by TEXT, p_owner TEXT, p_message TEXT)
RETURNS TEXT
LANGUAGE sql
AS $$
    SELECT pg_temp.as_user(p_by, format('INSERT INTO chat_file_attachments (message_id, file_manager_file_id, original_filename, file_size, mime_type, owner_id)
                                         VALUES (%L, gen_random_uuid(), ''more'', 1, ''text/plain'', %L)', pg_temp.id(p_message), pg_temp.id(p_owner)))
$$;

SELECT pg_temp.expect('a file on the own message', pg_temp.attach('ben', 'ben', 'new'), '1');
SELECT pg_temp.expect('a file on somebody else''s message', pg_temp.attach('ann', 'ann', 'new'), '42501');
SELECT pg_temp.expect('a file of somebody else', pg_temp.attach('ben', 'ann', 'new'), '42501');
SELECT pg_temp.expect('a file on a message that one does not see', pg_temp.attach('ben', 'ben', 'elsewhere'), '42501');
SELECT pg_temp.expect(format('%s renames a file of %s', t.name, t.message), pg_temp.as_user(t.name,
    format('UPDATE chat_file_attachments SET original_filename = ''x'' WHERE id = %L', pg_temp.id('file of ' || t.message))), t.result)
FROM (VALUES ('ben', 'new', '1'), ('ben', 'elsewhere', '0'), ('ann', 'new', '0'), ('mod', 'new', '0'), ('gus', 'elsewhere', '0')) AS t (name, message, result);
SELECT pg_temp.expect('ben writes a robot interaction', pg_temp.as_user('ben', format('INSERT INTO robot_interactions (message_id, robot_id, request_data) VALUES (%L, ''r'', ''{}'')', pg_temp.id('new'))), '42501');
SELECT pg_temp.expect('ben answers for a robot', pg_temp.as_user('ben', 'UPDATE robot_interactions SET status = ''completed'''), '42501');

-- The archive is under the same policies.
DO $$
BEGIN
    PERFORM ensure_range_partitions('messages', 'month', '1990-01-01 00:00:00+00', '1990-02-01 00:00:00+00');
    INSERT INTO messages (id, room_id, sender_id, message_type, content, created_at) VALUES
        (pg_temp.id('archived'), pg_temp.id('room'), pg_temp.id('ben'), 'chat', 'archived', '1990-01-10 00:00:00+00'),
        (pg_temp.id('archived robot'), pg_temp.id('room'), pg_temp.id('bot'), 'robot', 'archived robot', '1990-01-10 00:00:00+00'),
        (pg_temp.id('archived elsewhere'), pg_temp.id('other room'), pg_temp.id('gus'), 'chat', 'archived elsewhere', '1990-01-10 00:00:00+00');
    INSERT INTO chat_file_attachments (message_id, file_manager_file_id, original_filename, file_size, mime_type, owner_id)
    VALUES (pg_temp.id('archived'), gen_random_uuid(), 'archived', 1, 'text/plain', pg_temp.id('nia'));
    INSERT INTO robot_interactions (message_id, robot_id, request_data) VALUES (pg_temp.id('archived'), 'r', '{}');
    PERFORM archive_old_messages(300);
END;
$$;

SELECT pg_temp.expect('the archive that ' || t.name || ' sees', pg_temp.as_user(t.name, format($$
    SELECT COALESCE((SELECT string_agg(m.content, ', ' ORDER BY m.content) FROM messages_archive AS m WHERE m.created_at < '1990-02-01'), '-')
           || (SELECT count(*) FROM chat_file_attachments AS a WHERE a.original_filename = 'archived')
           || (SELECT count(*) FROM robot_interactions AS i WHERE i.message_id = %L)
$$, pg_temp.id('archived'))), t.contents)
FROM (VALUES ('obs', 'archived, archived robot11'), ('gil', 'archived10'), ('ida', '-00'), ('gus', 'archived elsewhere00'), ('eve', '-00'), ('nia', '-00'), ('nobody', '-00'),
             ('sue', 'archived, archived elsewhere, archived robot11')) AS t (name, contents);
SELECT pg_temp.expect('writing into the archive', pg_temp.as_user('ben', 'UPDATE messages_archive SET content = ''x'''), '42501');

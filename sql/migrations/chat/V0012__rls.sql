-- chat V0012: row level security and what the roles of V0001 may do: a room is seen by those who are in it.
-- Lock: ACCESS EXCLUSIVE on every table and partition for changes of the catalog.
--
-- chat_app      acts for the user in app.current_user_id (SET LOCAL, see V0001), under the policies below
-- chat_service  what acts for nobody: sign-up and log-in, robots, moderation tools, jobs; sees and writes every row,
--               reads the history
-- Both are NOLOGIN: GRANT chat_app TO <login role>. The owner of the tables, who runs migrations and retention, is
-- under no policy (no FORCE: the functions below run with the owner's rights and would call themselves).
--
-- Decided here:
-- In a room: status active or muted, room and row not soft-deleted, account neither deleted, suspended nor closed. Its
--   creator is a moderator, also before the first participant is entered. Who is removed or has left sees nothing of it.
-- can_see_history = FALSE: only messages since joined_at.
-- Sending: as oneself, active, can_send_messages, not an observer, room active; 'robot' and 'system' are chat_service's.
-- Soft-deleted messages are seen by their sender and the moderators; these may delete others' messages, not write them.
-- Guests (role, or account type) see robot messages only if is_robot_visible_to_guests, no robot interactions and no
--   escalations, and nothing of a room with guest_access_allowed = FALSE.
-- Joining by oneself: active group rooms that are not private, as member or guest. Others are brought in by moderators,
--   or by who has can_invite_others. Who left may come back the same way; who left while muted comes back unable to send.
-- Of users, chat_app reads those one shares a room with, without email, preferences and password_hash; the own account
--   with get_my_account().

-- The user in app.current_user_id, if the account may be used; else NULL.
CREATE FUNCTION signed_in_user_id()
RETURNS UUID
LANGUAGE sql
STABLE
SECURITY DEFINER
BEGIN ATOMIC
    SELECT u.id
    FROM users AS u
    WHERE u.id = current_app_user_id()
      AND u.deleted_at IS NULL
      AND u.current_account_status IN ('pending-verification', 'active');
END;

-- Does the signed-in user hold the permission, 'supervisor:chat:read' say?
CREATE FUNCTION has_permission(p_permission TEXT)
RETURNS BOOLEAN
LANGUAGE sql
STABLE
SECURITY DEFINER
BEGIN ATOMIC
    SELECT user_has_permission(current_app_user_id(), p_permission);
END;

-- The rooms that the signed-in user is in, and what the user may do there. reads_all: every message, without looking at each.
CREATE FUNCTION my_rooms()
RETURNS TABLE (
    room_id UUID,
    reads_from TIMESTAMPTZ,
    reads_all BOOLEAN,
    is_guest BOOLEAN,
    is_moderator BOOLEAN,
    can_send BOOLEAN,
    can_invite BOOLEAN
)
LANGUAGE sql
STABLE
SECURITY DEFINER
BEGIN ATOMIC
    SELECT
        r.id,
        CASE WHEN p.can_see_history THEN '-infinity' ELSE p.joined_at END,
        p.can_see_history AND NOT g.is_guest,
        g.is_guest,
        m.is_moderator,
        p.status = 'active' AND p.can_send_messages AND p.role <> 'observer' AND r.status = 'active',
        p.status = 'active' AND r.status = 'active' AND (m.is_moderator OR p.can_invite_others)
    FROM room_participants AS p
    JOIN chat_rooms AS r ON r.id = p.room_id
    JOIN users AS u ON u.id = p.user_id
    CROSS JOIN LATERAL (SELECT p.role = 'guest' OR u.account_type_informal = 'guest') AS g (is_guest)
    CROSS JOIN LATERAL (SELECT p.status = 'active' AND (p.role = 'moderator' OR r.creator_id = u.id)) AS m (is_moderator)
    WHERE u.id = signed_in_user_id()
      AND p.status IN ('active', 'muted')
      AND p.deleted_at IS NULL
      AND r.deleted_at IS NULL
      AND (r.guest_access_allowed OR NOT g.is_guest OR r.creator_id = u.id);
END;

-- The rooms that the signed-in user has created and has no row in, so that the first participant can be entered.
CREATE FUNCTION my_founded_rooms()
RETURNS SETOF UUID
LANGUAGE sql
STABLE
SECURITY DEFINER
BEGIN ATOMIC
    SELECT r.id
    FROM chat_rooms AS r
    WHERE r.creator_id = signed_in_user_id()
      AND r.deleted_at IS NULL
      AND NOT EXISTS (SELECT FROM room_participants AS p WHERE p.room_id = r.id AND p.user_id = r.creator_id);
END;

-- May the signed-in user come into the room uninvited?
CREATE FUNCTION is_open_room(p_room_id UUID)
RETURNS BOOLEAN
LANGUAGE sql
STABLE
SECURITY DEFINER
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT
        FROM chat_rooms AS r
        WHERE r.id = p_room_id
          AND signed_in_user_id() IS NOT NULL
          AND r.room_type = 'group'
          AND r.status = 'active'
          AND NOT r.is_private
          AND r.deleted_at IS NULL
    );
END;

-- The users that the signed-in user shares a room with, and the user.
CREATE FUNCTION my_contacts()
RETURNS SETOF UUID
LANGUAGE sql
STABLE
SECURITY DEFINER
BEGIN ATOMIC
    SELECT p.user_id
    FROM my_rooms() AS r
    JOIN room_participants AS p ON p.room_id = r.room_id
    UNION
    SELECT signed_in_user_id();
END;

-- The whole account of the signed-in user, except password_hash.
CREATE FUNCTION get_my_account()
RETURNS TABLE (
    id UUID,
    username VARCHAR,
    first_name VARCHAR,
    last_name VARCHAR,
    email VARCHAR,
    display_name VARCHAR,
    avatar_url VARCHAR,
    current_status VARCHAR,
    last_seen_at TIMESTAMPTZ,
    chat_preferences JSONB,
    account_type_informal user_account_type_informal_enum,
    current_account_status user_account_status_enum,
    is_email_verified BOOLEAN,
    created_at TIMESTAMPTZ,
    updated_at TIMESTAMPTZ
)
LANGUAGE sql
STABLE
SECURITY DEFINER
BEGIN ATOMIC
    SELECT u.id, u.username, u.first_name, u.last_name, u.email, u.display_name, u.avatar_url, u.current_status,
           u.last_seen_at, u.chat_preferences, u.account_type_informal, u.current_account_status, u.is_email_verified,
           u.created_at, u.updated_at
    FROM users AS u
    WHERE u.id = signed_in_user_id();
END;

-- A policy cannot compare a row before with after. What a participant who is no moderator may change of the own row:
-- what was read, leaving, and coming back to an open room. SECURITY INVOKER: it looks at who asks.
CREATE FUNCTION guard_own_participation()
RETURNS TRIGGER
LANGUAGE plpgsql
AS $$
DECLARE
    v_as_if room_participants := NEW;
BEGIN
    IF NOT row_security_active(TG_RELID)
       OR pg_has_role(current_user, 'chat_service', 'USAGE')
       OR EXISTS (SELECT FROM my_rooms() AS r WHERE r.room_id = OLD.room_id AND r.is_moderator) THEN
        RETURN NEW;
    END IF;

    v_as_if.last_read_at := OLD.last_read_at;
    v_as_if.left_at := OLD.left_at;
    v_as_if.updated_at := OLD.updated_at;
    IF OLD.status IN ('active', 'muted') AND NEW.status = 'left'
       OR OLD.status = 'left' AND NEW.status = 'active' AND is_open_room(OLD.room_id) THEN
        v_as_if.status := OLD.status;
    END IF;
    IF v_as_if IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'only a moderator may change this participant of room %', OLD.room_id
            USING ERRCODE = 'insufficient_privilege',
                  SCHEMA = TG_TABLE_SCHEMA,
                  TABLE = TG_TABLE_NAME,
                  HINT = 'last_read_at, and status to leave or to come back, are the participant''s own';
    END IF;

    IF OLD.status = 'muted' AND NEW.status = 'left' THEN
        NEW.can_send_messages := FALSE;
    END IF;
    RETURN NEW;
END;
$$;

-- What a moderator may change of somebody else's message: deleted_at.
CREATE FUNCTION guard_others_message()
RETURNS TRIGGER
LANGUAGE plpgsql
AS $$
DECLARE
    v_as_if messages := NEW;
BEGIN
    IF NOT row_security_active(TG_RELID)
       OR pg_has_role(current_user, 'chat_service', 'USAGE')
       OR OLD.sender_id = signed_in_user_id() THEN
        RETURN NEW;
    END IF;

    v_as_if.deleted_at := OLD.deleted_at;
    v_as_if.updated_at := OLD.updated_at;
    IF v_as_if IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'message % is somebody else''s: a moderator may only delete it', OLD.id
            USING ERRCODE = 'insufficient_privilege',
                  SCHEMA = TG_TABLE_SCHEMA,
                  TABLE = TG_TABLE_NAME,
                  HINT = 'UPDATE messages SET deleted_at = now()';
    END IF;
    RETURN NEW;
END;
$$;

SELECT pin_search_path('signed_in_user_id()');
SELECT pin_search_path('has_permission(TEXT)');
SELECT pin_search_path('my_rooms()');
SELECT pin_search_path('my_founded_rooms()');
SELECT pin_search_path('is_open_room(UUID)');
SELECT pin_search_path('my_contacts()');
SELECT pin_search_path('get_my_account()');
SELECT pin_search_path('guard_own_participation()');
SELECT pin_search_path('guard_others_message()');

CREATE TRIGGER guard_own_participation_trigger
    BEFORE UPDATE ON room_participants
    FOR EACH ROW
    EXECUTE FUNCTION guard_own_participation();

CREATE TRIGGER guard_others_message_trigger
    BEFORE UPDATE ON messages
    FOR EACH ROW
    EXECUTE FUNCTION guard_others_message();

REVOKE EXECUTE ON FUNCTION
    signed_in_user_id(), has_permission(TEXT), my_rooms(), my_founded_rooms(), is_open_room(UUID), my_contacts(), get_my_account()
FROM PUBLIC;

GRANT EXECUTE ON FUNCTION
    signed_in_user_id(), has_permission(TEXT), my_rooms(), my_founded_rooms(), is_open_room(UUID), my_contacts(), get_my_account()
TO chat_app, chat_service;
GRANT EXECUTE ON FUNCTION user_has_permission(UUID, TEXT), erase_user_data(UUID) TO chat_service;

-- Until 15, the schema public belongs to the superuser who made the database, and everybody may use it.
DO $$
BEGIN
    IF pg_has_role((SELECT n.nspowner FROM pg_catalog.pg_namespace AS n WHERE n.nspname = current_schema()), 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO chat_app, chat_service', current_schema());
    ELSIF NOT has_schema_privilege('chat_app', current_schema(), 'USAGE') OR NOT has_schema_privilege('chat_service', current_schema(), 'USAGE') THEN
        RAISE EXCEPTION 'the roles of chat may not use schema "%", which "%" does not own', current_schema(), current_user
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('run this as its owner, then migrate again: GRANT USAGE ON SCHEMA %I TO chat_app, chat_service;', current_schema());
    END IF;
END;
$$;

-- message_keys has row level security and no policy: only the triggers of V0004 reach it, with the owner's rights.
DO $$
DECLARE
    v_table REGCLASS;
BEGIN
    FOREACH v_table IN ARRAY ARRAY[
        'users', 'access_permission_domains', 'user_access_permissions', 'chat_rooms', 'room_participants',
        'messages', 'messages_archive', 'message_keys', 'chat_file_attachments', 'robot_interactions', 'escalations',
        'users_history', 'chat_rooms_history', 'room_participants_history', 'messages_history',
        'chat_file_attachments_history', 'robot_interactions_history', 'escalations_history'
    ]::REGCLASS[] LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', v_table);
    END LOOP;

    -- Through messages its policies hold; straight into a partition: nobody.
    FOR v_table IN
        SELECT i.inhrelid::REGCLASS
        FROM pg_catalog.pg_inherits AS i
        WHERE i.inhparent IN ('messages'::REGCLASS, 'messages_archive'::REGCLASS)
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', v_table);
    END LOOP;
END;
$$;

-- chat_service
GRANT SELECT, INSERT, UPDATE, DELETE ON
    users, access_permission_domains, user_access_permissions, chat_rooms, room_participants,
    messages, chat_file_attachments, robot_interactions, escalations
TO chat_service;
GRANT SELECT ON
    messages_archive, users_history, chat_rooms_history, room_participants_history, messages_history,
    chat_file_attachments_history, robot_interactions_history, escalations_history
TO chat_service;

CREATE POLICY service_all ON users TO chat_service USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY service_all ON access_permission_domains TO chat_service USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY service_all ON user_access_permissions TO chat_service USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY service_all ON chat_rooms TO chat_service USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY service_all ON room_participants TO chat_service USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY service_all ON messages TO chat_service USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY service_all ON chat_file_attachments TO chat_service USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY service_all ON robot_interactions TO chat_service USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY service_all ON escalations TO chat_service USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY service_select ON messages_archive FOR SELECT TO chat_service USING (TRUE);
CREATE POLICY service_select ON users_history FOR SELECT TO chat_service USING (TRUE);
CREATE POLICY service_select ON chat_rooms_history FOR SELECT TO chat_service USING (TRUE);
CREATE POLICY service_select ON room_participants_history FOR SELECT TO chat_service USING (TRUE);
CREATE POLICY service_select ON messages_history FOR SELECT TO chat_service USING (TRUE);
CREATE POLICY service_select ON chat_file_attachments_history FOR SELECT TO chat_service USING (TRUE);
CREATE POLICY service_select ON robot_interactions_history FOR SELECT TO chat_service USING (TRUE);
CREATE POLICY service_select ON escalations_history FOR SELECT TO chat_service USING (TRUE);

-- chat_app: what of a table, before the policies say which rows
GRANT SELECT (
    id, username, first_name, last_name, display_name, avatar_url, current_status, last_seen_at,
    account_type_informal, current_account_status, is_email_verified, created_at, updated_at, deleted_at
) ON users TO chat_app;
GRANT UPDATE (first_name, last_name, display_name, avatar_url, current_status, last_seen_at, chat_preferences) ON users TO chat_app;

GRANT SELECT ON
    access_permission_domains, user_access_permissions, chat_rooms, room_participants, messages, messages_archive,
    chat_file_attachments, robot_interactions, escalations,
    users_history, chat_rooms_history, room_participants_history, messages_history,
    chat_file_attachments_history, robot_interactions_history, escalations_history
TO chat_app;
GRANT INSERT ON chat_rooms, room_participants, messages, chat_file_attachments, escalations TO chat_app;

GRANT UPDATE (
    name, description, status, issue_id, issue_description, is_private, guest_access_allowed, max_participants,
    room_settings, deleted_at, concluded_at, concluded_by_user_id, conclusion_summary
) ON chat_rooms TO chat_app;
GRANT UPDATE (
    role, status, can_send_messages, can_invite_others, can_see_history, last_read_at, left_at, deleted_at
) ON room_participants TO chat_app;
GRANT UPDATE (
    content, content_metadata, is_robot_visible_to_guests, delivery_status, deleted_at
) ON messages TO chat_app;
GRANT UPDATE (
    original_filename, thumbnail_url, preview_available, deleted_at
) ON chat_file_attachments TO chat_app;
GRANT UPDATE (
    target_room_id, to_level, priority, assigned_to_user_id, status, resolution_notes, resolved_at
) ON escalations TO chat_app;

-- The functions stand in (SELECT ...) or ARRAY(...): run once for a statement, not for every row.

-- users
CREATE POLICY app_select ON users FOR SELECT TO chat_app
    USING (id = ANY (ARRAY(SELECT my_contacts())) OR (SELECT has_permission('supervisor:chat:read')));

CREATE POLICY app_update ON users FOR UPDATE TO chat_app
    USING (id = (SELECT signed_in_user_id()))
    WITH CHECK (id = (SELECT signed_in_user_id()));

-- permissions
CREATE POLICY app_select ON access_permission_domains FOR SELECT TO chat_app
    USING ((SELECT signed_in_user_id()) IS NOT NULL);

CREATE POLICY app_select ON user_access_permissions FOR SELECT TO chat_app
    USING (user_id = (SELECT signed_in_user_id()));

-- chat_rooms. The creator by the column: an INSERT ... RETURNING looks for a row that my_founded_rooms() cannot see yet.
CREATE POLICY app_select ON chat_rooms FOR SELECT TO chat_app
    USING (
        id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r))
        OR creator_id = (SELECT signed_in_user_id()) AND deleted_at IS NULL AND NOT EXISTS (
            SELECT FROM room_participants AS p WHERE p.room_id = chat_rooms.id AND p.user_id = chat_rooms.creator_id
        )
        OR (SELECT has_permission('supervisor:chat:read'))
    );

CREATE POLICY app_insert ON chat_rooms FOR INSERT TO chat_app
    WITH CHECK (
        creator_id = (SELECT signed_in_user_id())
        AND (parent_room_id IS NULL OR parent_room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r)))
    );

CREATE POLICY app_update ON chat_rooms FOR UPDATE TO chat_app
    USING (
        id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.is_moderator))
        OR id = ANY (ARRAY(SELECT my_founded_rooms()))
    )
    WITH CHECK (
        (id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.is_moderator))
         OR id = ANY (ARRAY(SELECT my_founded_rooms())))
        AND (concluded_by_user_id IS NULL OR concluded_by_user_id = ANY (ARRAY(SELECT my_contacts())))
    );

-- room_participants
CREATE POLICY app_select ON room_participants FOR SELECT TO chat_app
    USING (
        user_id = (SELECT signed_in_user_id())
        OR room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r))
        OR room_id = ANY (ARRAY(SELECT my_founded_rooms()))
        OR (SELECT has_permission('supervisor:chat:read'))
    );

CREATE POLICY app_insert_moderator ON room_participants FOR INSERT TO chat_app
    WITH CHECK (
        room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.is_moderator))
        OR room_id = ANY (ARRAY(SELECT my_founded_rooms()))
    );

CREATE POLICY app_insert_invited ON room_participants FOR INSERT TO chat_app
    WITH CHECK (
        room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.can_invite))
        AND user_id <> (SELECT signed_in_user_id())
        AND role <> 'moderator'
        AND status = 'active'
        AND NOT can_invite_others
    );

CREATE POLICY app_insert_self ON room_participants FOR INSERT TO chat_app
    WITH CHECK (
        user_id = (SELECT signed_in_user_id())
        AND role IN ('member', 'guest')
        AND status = 'active'
        AND NOT can_invite_others
        AND is_open_room(room_id)
    );

CREATE POLICY app_update ON room_participants FOR UPDATE TO chat_app
    USING (
        user_id = (SELECT signed_in_user_id())
        OR room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.is_moderator))
    )
    WITH CHECK (
        user_id = (SELECT signed_in_user_id())
        OR room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.is_moderator))
    );

-- messages. Most participants read all of a room: that the first line finds out without a look at each message.
CREATE POLICY app_select ON messages FOR SELECT TO chat_app
    USING (
        (
            room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.reads_all))
            OR EXISTS (
                SELECT
                FROM my_rooms() AS r
                WHERE NOT r.reads_all
                  AND r.room_id = messages.room_id
                  AND messages.created_at >= r.reads_from
                  AND (NOT r.is_guest OR messages.message_type <> 'robot' OR COALESCE(messages.is_robot_visible_to_guests, FALSE))
            )
        )
        AND (
            deleted_at IS NULL
            OR sender_id = (SELECT signed_in_user_id())
            OR room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.is_moderator))
        )
        OR (SELECT has_permission('supervisor:chat:read'))
    );

CREATE POLICY app_insert ON messages FOR INSERT TO chat_app
    WITH CHECK (
        sender_id = (SELECT signed_in_user_id())
        AND room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.can_send))
        AND message_type NOT IN ('robot', 'system')
    );

CREATE POLICY app_update ON messages FOR UPDATE TO chat_app
    USING (
        sender_id = (SELECT signed_in_user_id()) AND room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.can_send))
        OR room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.is_moderator))
    )
    WITH CHECK (
        sender_id = (SELECT signed_in_user_id()) AND room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.can_send))
        OR room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.is_moderator))
    );

CREATE POLICY app_select ON messages_archive FOR SELECT TO chat_app
    USING (
        (
            room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.reads_all))
            OR EXISTS (
                SELECT
                FROM my_rooms() AS r
                WHERE NOT r.reads_all
                  AND r.room_id = messages_archive.room_id
                  AND messages_archive.created_at >= r.reads_from
                  AND (NOT r.is_guest OR messages_archive.message_type <> 'robot'
                       OR COALESCE(messages_archive.is_robot_visible_to_guests, FALSE))
            )
        )
        AND (
            deleted_at IS NULL
            OR sender_id = (SELECT signed_in_user_id())
            OR room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.is_moderator))
        )
        OR (SELECT has_permission('supervisor:chat:read'))
    );

-- Files and robot interactions of the messages that one sees: the policies of messages hold inside.
CREATE POLICY app_select ON chat_file_attachments FOR SELECT TO chat_app
    USING (
        EXISTS (SELECT FROM messages AS m WHERE m.id = chat_file_attachments.message_id)
        OR EXISTS (SELECT FROM messages_archive AS m WHERE m.id = chat_file_attachments.message_id)
    );

CREATE POLICY app_insert ON chat_file_attachments FOR INSERT TO chat_app
    WITH CHECK (
        owner_id = (SELECT signed_in_user_id())
        AND EXISTS (
            SELECT
            FROM messages AS m
            WHERE m.id = chat_file_attachments.message_id
              AND m.sender_id = (SELECT signed_in_user_id())
              AND m.room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE r.can_send))
        )
    );

CREATE POLICY app_update ON chat_file_attachments FOR UPDATE TO chat_app
    USING (
        owner_id = (SELECT signed_in_user_id())
        AND EXISTS (SELECT FROM messages AS m WHERE m.id = chat_file_attachments.message_id)
    )
    WITH CHECK (
        owner_id = (SELECT signed_in_user_id())
        AND EXISTS (SELECT FROM messages AS m WHERE m.id = chat_file_attachments.message_id)
    );

CREATE POLICY app_select ON robot_interactions FOR SELECT TO chat_app
    USING (
        EXISTS (
            SELECT
            FROM messages AS m
            WHERE m.id = robot_interactions.message_id
              AND (m.room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE NOT r.is_guest))
                   OR (SELECT has_permission('supervisor:chat:read')))
        )
        OR EXISTS (
            SELECT
            FROM messages_archive AS m
            WHERE m.id = robot_interactions.message_id
              AND (m.room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE NOT r.is_guest))
                   OR (SELECT has_permission('supervisor:chat:read')))
        )
    );

-- escalations
CREATE POLICY app_select ON escalations FOR SELECT TO chat_app
    USING (
        created_by_user_id = (SELECT signed_in_user_id())
        OR assigned_to_user_id = (SELECT signed_in_user_id())
        OR source_room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE NOT r.is_guest))
        OR target_room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE NOT r.is_guest))
        OR (SELECT has_permission('chat:escalation:read'))
        OR (SELECT has_permission('chat:escalation:manage'))
        OR (SELECT has_permission('supervisor:chat:read'))
    );

CREATE POLICY app_insert ON escalations FOR INSERT TO chat_app
    WITH CHECK (
        created_by_user_id = (SELECT signed_in_user_id())
        AND source_room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r WHERE NOT r.is_guest))
        AND (target_room_id IS NULL OR target_room_id = ANY (ARRAY(SELECT r.room_id FROM my_rooms() AS r)))
    );

CREATE POLICY app_update ON escalations FOR UPDATE TO chat_app
    USING (
        assigned_to_user_id = (SELECT signed_in_user_id())
        OR (SELECT has_permission('chat:escalation:manage'))
    )
    WITH CHECK (
        assigned_to_user_id = (SELECT signed_in_user_id())
        OR (SELECT has_permission('chat:escalation:manage'))
    );

-- history
CREATE POLICY supervisor_select ON users_history FOR SELECT TO chat_app
    USING ((SELECT has_permission('supervisor:chat:audit')));
CREATE POLICY supervisor_select ON chat_rooms_history FOR SELECT TO chat_app
    USING ((SELECT has_permission('supervisor:chat:audit')));
CREATE POLICY supervisor_select ON room_participants_history FOR SELECT TO chat_app
    USING ((SELECT has_permission('supervisor:chat:audit')));
CREATE POLICY supervisor_select ON messages_history FOR SELECT TO chat_app
    USING ((SELECT has_permission('supervisor:chat:audit')));
CREATE POLICY supervisor_select ON chat_file_attachments_history FOR SELECT TO chat_app
    USING ((SELECT has_permission('supervisor:chat:audit')));
CREATE POLICY supervisor_select ON robot_interactions_history FOR SELECT TO chat_app
    USING ((SELECT has_permission('supervisor:chat:audit')));
CREATE POLICY supervisor_select ON escalations_history FOR SELECT TO chat_app
    USING ((SELECT has_permission('supervisor:chat:audit')));

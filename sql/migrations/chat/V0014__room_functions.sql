-- chat V0014: functions for common operations, all of them for the user that app.current_user_id names. They run with the
--             caller's rights: the policies of V0012 decide what each may do.
-- Lock: none on any table; functions only.

-- The user, or 42501 where nobody usable is named.
CREATE FUNCTION require_signed_in_user()
RETURNS UUID
LANGUAGE plpgsql
STABLE
AS $$
DECLARE
    v_user_id UUID := signed_in_user_id();
BEGIN
    IF v_user_id IS NULL THEN
        RAISE EXCEPTION 'nobody is signed in'
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'SET LOCAL app.current_user_id to the id of a user whose account is neither deleted, suspended nor closed';
    END IF;
    RETURN v_user_id;
END;
$$;

-- Makes a room with the user as its moderator; returns its id.
CREATE FUNCTION create_room(
    p_name TEXT,
    p_room_type room_type_enum DEFAULT 'group',
    p_is_private BOOLEAN DEFAULT FALSE,
    p_guest_access_allowed BOOLEAN DEFAULT TRUE,
    p_max_participants INTEGER DEFAULT 50
)
RETURNS UUID
LANGUAGE plpgsql
AS $$
DECLARE
    v_user_id UUID := require_signed_in_user();
    v_room_id UUID;
BEGIN
    INSERT INTO chat_rooms (name, room_type, is_private, guest_access_allowed, max_participants, creator_id)
    VALUES (p_name, p_room_type, p_is_private, p_guest_access_allowed, p_max_participants, v_user_id)
    RETURNING id INTO v_room_id;

    INSERT INTO room_participants (room_id, user_id, role, can_invite_others)
    VALUES (v_room_id, v_user_id, 'moderator', TRUE);

    RETURN v_room_id;
END;
$$;

-- Sends a message to a room, whole ('delivered'); returns its id.
CREATE FUNCTION send_message(
    p_room_id UUID,
    p_content TEXT,
    p_message_type message_type_enum DEFAULT 'chat',
    p_reply_to_message_id UUID DEFAULT NULL,
    p_content_metadata JSONB DEFAULT '{}'
)
RETURNS UUID
LANGUAGE plpgsql
AS $$
DECLARE
    v_message_id UUID;
BEGIN
    INSERT INTO messages (room_id, sender_id, message_type, content, content_metadata, reply_to_message_id, delivery_status)
    VALUES (p_room_id, require_signed_in_user(), p_message_type, p_content, COALESCE(p_content_metadata, '{}'),
            p_reply_to_message_id, 'delivered')
    RETURNING id INTO v_message_id;

    RETURN v_message_id;
END;
$$;

-- A page of a room's messages, newest first. The next page: created_at and id of the last row of this one.
-- Soft-deleted messages are left out; archived ones are in messages_archive.
CREATE FUNCTION get_room_messages(
    p_room_id UUID,
    p_limit INTEGER DEFAULT 50,
    p_before_created_at TIMESTAMPTZ DEFAULT NULL,
    p_before_id UUID DEFAULT NULL
)
RETURNS SETOF messages
LANGUAGE sql
STABLE
AS $$
    SELECT m.*
    FROM messages AS m
    WHERE m.room_id = p_room_id
      AND m.deleted_at IS NULL
      AND m.created_at <= COALESCE(p_before_created_at, 'infinity')
      AND (m.created_at < COALESCE(p_before_created_at, 'infinity')
           OR m.id < COALESCE(p_before_id, '00000000-0000-0000-0000-000000000000'))
    ORDER BY m.created_at DESC, m.id DESC
    LIMIT LEAST(GREATEST(COALESCE(p_limit, 50), 1), 500)
$$;

-- The user has read the room up to p_read_at. Never moves back.
CREATE FUNCTION mark_room_read(p_room_id UUID, p_read_at TIMESTAMPTZ DEFAULT now())
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE room_participants AS p
    SET last_read_at = GREATEST(p.last_read_at, p_read_at)
    WHERE p.room_id = p_room_id
      AND p.user_id = require_signed_in_user();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'user % is not in room %', require_signed_in_user(), p_room_id
            USING ERRCODE = 'no_data_found';
    END IF;
END;
$$;

-- How many messages of others the user has not read, for each room that has some.
CREATE FUNCTION get_unread_counts()
RETURNS TABLE (room_id UUID, unread BIGINT)
LANGUAGE sql
STABLE
AS $$
    SELECT m.room_id, count(*)
    FROM room_participants AS p
    JOIN messages AS m ON m.room_id = p.room_id AND m.created_at > COALESCE(p.last_read_at, p.joined_at)
    WHERE p.user_id = signed_in_user_id()
      AND p.status IN ('active', 'muted')
      AND m.sender_id <> p.user_id
      AND m.deleted_at IS NULL
    GROUP BY m.room_id
$$;

-- The user leaves the room. The row stays, with its status.
CREATE FUNCTION leave_room(p_room_id UUID)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE room_participants AS p
    SET status = 'left',
        left_at = clock_timestamp()
    WHERE p.room_id = p_room_id
      AND p.user_id = require_signed_in_user()
      AND p.status IN ('active', 'muted');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'user % is not in room %', require_signed_in_user(), p_room_id
            USING ERRCODE = 'no_data_found';
    END IF;
END;
$$;

-- Ends a conversation: the room is closed and takes no more messages, who did it and why stays with it.
CREATE FUNCTION conclude_room(p_room_id UUID, p_summary TEXT DEFAULT NULL)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE chat_rooms AS r
    SET status = 'closed',
        concluded_at = clock_timestamp(),
        concluded_by_user_id = require_signed_in_user(),
        conclusion_summary = p_summary
    WHERE r.id = p_room_id
      AND r.status <> 'closed';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'room % is closed already, or not for user % to conclude', p_room_id, require_signed_in_user()
            USING ERRCODE = 'no_data_found';
    END IF;
END;
$$;

-- Hands a room to another support level: a new room one level up, with the user as its moderator, and the escalation,
-- whose id it returns.
CREATE FUNCTION escalate_room(
    p_source_room_id UUID,
    p_reason TEXT,
    p_from_level support_level_enum,
    p_to_level support_level_enum,
    p_priority INTEGER DEFAULT 3
)
RETURNS UUID
LANGUAGE plpgsql
AS $$
DECLARE
    v_user_id UUID := require_signed_in_user();
    v_source chat_rooms;
    v_target_room_id UUID;
    v_escalation_id UUID;
BEGIN
    SELECT r.* INTO v_source FROM chat_rooms AS r WHERE r.id = p_source_room_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'room % does not exist, or user % does not see it', p_source_room_id, v_user_id
            USING ERRCODE = 'no_data_found';
    END IF;

    INSERT INTO chat_rooms (name, room_type, issue_id, issue_description, is_private, guest_access_allowed, max_participants,
                            creator_id, parent_room_id, escalation_level)
    VALUES (v_source.name, 'escalated', v_source.issue_id, v_source.issue_description, TRUE, v_source.guest_access_allowed,
            v_source.max_participants, v_user_id, v_source.id, COALESCE(v_source.escalation_level, 1) + 1)
    RETURNING id INTO v_target_room_id;

    INSERT INTO room_participants (room_id, user_id, role, can_invite_others)
    VALUES (v_target_room_id, v_user_id, 'moderator', TRUE);

    INSERT INTO escalations (source_room_id, target_room_id, escalation_reason, from_level, to_level, priority, created_by_user_id)
    VALUES (v_source.id, v_target_room_id, p_reason, p_from_level, p_to_level, p_priority, v_user_id)
    RETURNING id INTO v_escalation_id;

    RETURN v_escalation_id;
END;
$$;

SELECT pin_search_path('require_signed_in_user()');
SELECT pin_search_path('create_room(TEXT, room_type_enum, BOOLEAN, BOOLEAN, INTEGER)');
SELECT pin_search_path('send_message(UUID, TEXT, message_type_enum, UUID, JSONB)');
SELECT pin_search_path('get_room_messages(UUID, INTEGER, TIMESTAMPTZ, UUID)');
SELECT pin_search_path('mark_room_read(UUID, TIMESTAMPTZ)');
SELECT pin_search_path('get_unread_counts()');
SELECT pin_search_path('leave_room(UUID)');
SELECT pin_search_path('conclude_room(UUID, TEXT)');
SELECT pin_search_path('escalate_room(UUID, TEXT, support_level_enum, support_level_enum, INTEGER)');

REVOKE EXECUTE ON FUNCTION
    require_signed_in_user(),
    create_room(TEXT, room_type_enum, BOOLEAN, BOOLEAN, INTEGER),
    send_message(UUID, TEXT, message_type_enum, UUID, JSONB),
    get_room_messages(UUID, INTEGER, TIMESTAMPTZ, UUID),
    mark_room_read(UUID, TIMESTAMPTZ),
    get_unread_counts(),
    leave_room(UUID),
    conclude_room(UUID, TEXT),
    escalate_room(UUID, TEXT, support_level_enum, support_level_enum, INTEGER)
FROM PUBLIC;

GRANT EXECUTE ON FUNCTION
    require_signed_in_user(),
    create_room(TEXT, room_type_enum, BOOLEAN, BOOLEAN, INTEGER),
    send_message(UUID, TEXT, message_type_enum, UUID, JSONB),
    get_room_messages(UUID, INTEGER, TIMESTAMPTZ, UUID),
    mark_room_read(UUID, TIMESTAMPTZ),
    get_unread_counts(),
    leave_room(UUID),
    conclude_room(UUID, TEXT),
    escalate_room(UUID, TEXT, support_level_enum, support_level_enum, INTEGER)
TO chat_app, chat_service;

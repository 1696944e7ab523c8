-- chat V0003: chat_rooms and room_participants, with the rules of who may be in a room.
-- Lock: none that anybody could wait for; the tables are new.
--
-- Decided here:
-- max_participants counts those who are in: active or muted, not soft-deleted; NULL is no limit. It holds for whoever
--   comes in (23514), under a lock on the room, so two at once cannot both take the last place (a transaction in
--   REPEATABLE READ, which does not look again after it has waited, can). A lower limit puts nobody out.
-- guest_access_allowed = FALSE refuses guests who come in (23514): participants with the role 'guest', and accounts
--   of that type in any role. Guests that are in when it changes keep their row, but read nothing (V0012).
-- A conversation is concluded by three columns of its room ("conversation conclusion tracking"), all of them nullable.

CREATE TABLE chat_rooms (
    id UUID DEFAULT uuid_generate_v4() NOT NULL,
    name VARCHAR,
    description TEXT,
    room_type room_type_enum NOT NULL DEFAULT 'group',
    status room_status_enum NOT NULL DEFAULT 'active',

    -- Issue tracking
    issue_id VARCHAR,
    issue_description TEXT,

    -- Access control
    is_private BOOLEAN NOT NULL DEFAULT FALSE,
    guest_access_allowed BOOLEAN NOT NULL DEFAULT TRUE,
    max_participants INTEGER DEFAULT 50,

    -- Metadata
    creator_id UUID NOT NULL,
    parent_room_id UUID, -- For escalations
    escalation_level INTEGER DEFAULT 1,

    -- Settings
    room_settings JSONB DEFAULT '{}' NOT NULL,

    -- Timestamps
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    deleted_at TIMESTAMPTZ,

    -- Conclusion
    concluded_at TIMESTAMPTZ,
    concluded_by_user_id UUID,
    conclusion_summary TEXT,

    CONSTRAINT pk_chat_rooms PRIMARY KEY (id),
    CONSTRAINT fk_chat_rooms_creator FOREIGN KEY (creator_id) REFERENCES users (id),
    CONSTRAINT fk_chat_rooms_parent FOREIGN KEY (parent_room_id) REFERENCES chat_rooms (id),
    CONSTRAINT fk_chat_rooms_concluded_by FOREIGN KEY (concluded_by_user_id) REFERENCES users (id),
    CONSTRAINT chk_chat_rooms_max_participants CHECK (max_participants > 0),
    CONSTRAINT chk_chat_rooms_escalation_level CHECK (escalation_level > 0),
    CONSTRAINT chk_chat_rooms_parent_is_another CHECK (parent_room_id <> id)
);

CREATE TABLE room_participants (
    room_id UUID NOT NULL,
    user_id UUID NOT NULL,
    role participant_role_enum NOT NULL DEFAULT 'member',
    status participant_status_enum NOT NULL DEFAULT 'active',

    -- Permissions
    can_send_messages BOOLEAN NOT NULL DEFAULT TRUE,
    can_invite_others BOOLEAN NOT NULL DEFAULT FALSE,
    can_see_history BOOLEAN NOT NULL DEFAULT TRUE,

    -- Tracking
    joined_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    last_read_at TIMESTAMPTZ,
    left_at TIMESTAMPTZ,

    -- Timestamps
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    deleted_at TIMESTAMPTZ,

    CONSTRAINT pk_room_participants PRIMARY KEY (room_id, user_id),
    CONSTRAINT fk_room_participants_room FOREIGN KEY (room_id) REFERENCES chat_rooms (id),
    CONSTRAINT fk_room_participants_user FOREIGN KEY (user_id) REFERENCES users (id)
);

-- Refuses a participant for whom the room has no place, or who is a guest where guests may not be. Locks the row of the
-- room. AFTER the row is written, so that one statement that brings in several counts them all. SECURITY DEFINER: who
-- may add a participant need not see all the others.
CREATE FUNCTION enforce_room_admission()
RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
DECLARE
    v_room chat_rooms;
    v_was_in BOOLEAN := FALSE;
    v_inside BIGINT;
BEGIN
    IF NEW.status NOT IN ('active', 'muted') OR NEW.deleted_at IS NOT NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        v_was_in := OLD.status IN ('active', 'muted') AND OLD.deleted_at IS NULL AND OLD.room_id = NEW.room_id;
        IF v_was_in AND OLD.role = NEW.role AND OLD.user_id = NEW.user_id THEN
            RETURN NULL;
        END IF;
    END IF;

    SELECT r.* INTO STRICT v_room
    FROM chat_rooms AS r
    WHERE r.id = NEW.room_id
    FOR NO KEY UPDATE;

    IF NOT v_room.guest_access_allowed AND (
        NEW.role = 'guest'
        OR EXISTS (SELECT FROM users AS u WHERE u.id = NEW.user_id AND u.account_type_informal = 'guest')
    ) THEN
        RAISE EXCEPTION 'room % admits no guests', NEW.room_id
            USING ERRCODE = 'check_violation',
                  SCHEMA = TG_TABLE_SCHEMA,
                  TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'room_guest_access';
    END IF;

    IF NOT v_was_in AND v_room.max_participants IS NOT NULL THEN
        SELECT count(*) INTO v_inside
        FROM room_participants AS p
        WHERE p.room_id = NEW.room_id
          AND p.status IN ('active', 'muted')
          AND p.deleted_at IS NULL;

        IF v_inside > v_room.max_participants THEN
            RAISE EXCEPTION 'room % is full: it takes % participants', NEW.room_id, v_room.max_participants
                USING ERRCODE = 'check_violation',
                      SCHEMA = TG_TABLE_SCHEMA,
                      TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'room_capacity';
        END IF;
    END IF;

    RETURN NULL;
END;
$$;

SELECT pin_search_path('enforce_room_admission()');
REVOKE EXECUTE ON FUNCTION enforce_room_admission() FROM PUBLIC;

CREATE TRIGGER enforce_room_admission_trigger
    AFTER INSERT OR UPDATE OF room_id, user_id, role, status, deleted_at ON room_participants
    FOR EACH ROW
    EXECUTE FUNCTION enforce_room_admission();

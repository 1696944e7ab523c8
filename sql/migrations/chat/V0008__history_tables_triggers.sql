-- chat V0008: what every row of the seven core tables was before it was changed or deleted.
-- Lock: SHARE ROW EXCLUSIVE on the seven tables for a change of the catalog; the history tables are new.
--
-- Each X has X_history with all columns of X (users_history without password_hash), log_X_changes() and
-- log_X_changes_trigger. A row of history is a row of X as it was until changed_at, when operation_type happened.
-- Rows are only ever added. They go after 10 years, by cleanup_history() (V0010).
--
-- Decided here:
-- Every change is logged, as the success criteria ask, also last_seen_at and last_read_at; an UPDATE that changes nothing is not.
-- changed_by is app.current_user_id, NULL where nobody is named; changed_by_role is the login that made the change.
-- A message whose created_at an UPDATE moves to another month is logged as DELETE: for the table it is deleted and inserted.
-- TRUNCATE, which would leave no trace, is refused on the seven tables.

-- users
CREATE TABLE users_history (
    history_id UUID DEFAULT uuid_generate_v4() NOT NULL,
    changed_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    operation_type TEXT NOT NULL,
    changed_by UUID,
    changed_by_role NAME DEFAULT session_user NOT NULL,

    id UUID NOT NULL,
    username VARCHAR NOT NULL,
    first_name VARCHAR NOT NULL,
    last_name VARCHAR NOT NULL,
    email VARCHAR NOT NULL,
    display_name VARCHAR,
    avatar_url VARCHAR,
    current_status VARCHAR NOT NULL,
    last_seen_at TIMESTAMPTZ,
    chat_preferences JSONB NOT NULL,
    account_type_informal user_account_type_informal_enum NOT NULL,
    current_account_status user_account_status_enum NOT NULL,
    is_email_verified BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ,

    CONSTRAINT pk_users_history PRIMARY KEY (history_id),
    CONSTRAINT chk_users_history_operation_type CHECK (operation_type IN ('UPDATE', 'DELETE'))
);

CREATE INDEX idx_users_history_row
    ON users_history (id, changed_at);

CREATE INDEX idx_users_history_changed_at
    ON users_history USING brin (changed_at);

CREATE FUNCTION log_users_changes()
RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD IS DISTINCT FROM NEW THEN
        INSERT INTO users_history (
            changed_at, operation_type, changed_by,
            id, username, first_name, last_name, email, display_name, avatar_url, current_status, last_seen_at,
            chat_preferences, account_type_informal, current_account_status, is_email_verified, created_at,
            updated_at, deleted_at
        ) VALUES (
            clock_timestamp(), TG_OP, current_app_user_id(),
            OLD.id, OLD.username, OLD.first_name, OLD.last_name, OLD.email, OLD.display_name, OLD.avatar_url,
            OLD.current_status, OLD.last_seen_at, OLD.chat_preferences, OLD.account_type_informal,
            OLD.current_account_status, OLD.is_email_verified, OLD.created_at, OLD.updated_at, OLD.deleted_at
        );
    END IF;
    RETURN NULL;
END;
$$;

SELECT pin_search_path('log_users_changes()');
REVOKE EXECUTE ON FUNCTION log_users_changes() FROM PUBLIC;

CREATE TRIGGER log_users_changes_trigger
    AFTER UPDATE OR DELETE ON users
    FOR EACH ROW
    EXECUTE FUNCTION log_users_changes();

CREATE TRIGGER users_history_append_only_trigger
    BEFORE UPDATE OR DELETE ON users_history
    FOR EACH ROW
    EXECUTE FUNCTION reject_change('rows are only ever added to it', 'old rows leave by SELECT cleanup_history()');

CREATE TRIGGER users_history_no_truncate_trigger
    BEFORE TRUNCATE ON users_history
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('rows are only ever added to it', 'old rows leave by SELECT cleanup_history()');

CREATE TRIGGER users_no_truncate_trigger
    BEFORE TRUNCATE ON users
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('it would leave no trace in users_history', 'DELETE FROM users');

-- chat_rooms
CREATE TABLE chat_rooms_history (
    history_id UUID DEFAULT uuid_generate_v4() NOT NULL,
    changed_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    operation_type TEXT NOT NULL,
    changed_by UUID,
    changed_by_role NAME DEFAULT session_user NOT NULL,

    id UUID NOT NULL,
    name VARCHAR,
    description TEXT,
    room_type room_type_enum NOT NULL,
    status room_status_enum NOT NULL,
    issue_id VARCHAR,
    issue_description TEXT,
    is_private BOOLEAN NOT NULL,
    guest_access_allowed BOOLEAN NOT NULL,
    max_participants INTEGER,
    creator_id UUID NOT NULL,
    parent_room_id UUID,
    escalation_level INTEGER,
    room_settings JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ,
    concluded_at TIMESTAMPTZ,
    concluded_by_user_id UUID,
    conclusion_summary TEXT,

    CONSTRAINT pk_chat_rooms_history PRIMARY KEY (history_id),
    CONSTRAINT chk_chat_rooms_history_operation_type CHECK (operation_type IN ('UPDATE', 'DELETE'))
);

CREATE INDEX idx_chat_rooms_history_row
    ON chat_rooms_history (id, changed_at);

CREATE INDEX idx_chat_rooms_history_changed_at
    ON chat_rooms_history USING brin (changed_at);

CREATE FUNCTION log_chat_rooms_changes()
RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD IS DISTINCT FROM NEW THEN
        INSERT INTO chat_rooms_history (
            changed_at, operation_type, changed_by,
            id, name, description, room_type, status, issue_id, issue_description, is_private, guest_access_allowed,
            max_participants, creator_id, parent_room_id, escalation_level, room_settings, created_at, updated_at,
            deleted_at, concluded_at, concluded_by_user_id, conclusion_summary
        ) VALUES (
            clock_timestamp(), TG_OP, current_app_user_id(),
            OLD.id, OLD.name, OLD.description, OLD.room_type, OLD.status, OLD.issue_id, OLD.issue_description,
            OLD.is_private, OLD.guest_access_allowed, OLD.max_participants, OLD.creator_id, OLD.parent_room_id,
            OLD.escalation_level, OLD.room_settings, OLD.created_at, OLD.updated_at, OLD.deleted_at, OLD.concluded_at,
            OLD.concluded_by_user_id, OLD.conclusion_summary
        );
    END IF;
    RETURN NULL;
END;
$$;

SELECT pin_search_path('log_chat_rooms_changes()');
REVOKE EXECUTE ON FUNCTION log_chat_rooms_changes() FROM PUBLIC;

CREATE TRIGGER log_chat_rooms_changes_trigger
    AFTER UPDATE OR DELETE ON chat_rooms
    FOR EACH ROW
    EXECUTE FUNCTION log_chat_rooms_changes();

CREATE TRIGGER chat_rooms_history_append_only_trigger
    BEFORE UPDATE OR DELETE ON chat_rooms_history
    FOR EACH ROW
    EXECUTE FUNCTION reject_change('rows are only ever added to it', 'old rows leave by SELECT cleanup_history()');

CREATE TRIGGER chat_rooms_history_no_truncate_trigger
    BEFORE TRUNCATE ON chat_rooms_history
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('rows are only ever added to it', 'old rows leave by SELECT cleanup_history()');

CREATE TRIGGER chat_rooms_no_truncate_trigger
    BEFORE TRUNCATE ON chat_rooms
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('it would leave no trace in chat_rooms_history', 'DELETE FROM chat_rooms');

-- room_participants
CREATE TABLE room_participants_history (
    history_id UUID DEFAULT uuid_generate_v4() NOT NULL,
    changed_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    operation_type TEXT NOT NULL,
    changed_by UUID,
    changed_by_role NAME DEFAULT session_user NOT NULL,

    room_id UUID NOT NULL,
    user_id UUID NOT NULL,
    role participant_role_enum NOT NULL,
    status participant_status_enum NOT NULL,
    can_send_messages BOOLEAN NOT NULL,
    can_invite_others BOOLEAN NOT NULL,
    can_see_history BOOLEAN NOT NULL,
    joined_at TIMESTAMPTZ NOT NULL,
    last_read_at TIMESTAMPTZ,
    left_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ,

    CONSTRAINT pk_room_participants_history PRIMARY KEY (history_id),
    CONSTRAINT chk_room_participants_history_operation_type CHECK (operation_type IN ('UPDATE', 'DELETE'))
);

CREATE INDEX idx_room_participants_history_row
    ON room_participants_history (room_id, user_id, changed_at);

CREATE INDEX idx_room_participants_history_changed_at
    ON room_participants_history USING brin (changed_at);

CREATE FUNCTION log_room_participants_changes()
RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD IS DISTINCT FROM NEW THEN
        INSERT INTO room_participants_history (
            changed_at, operation_type, changed_by,
            room_id, user_id, role, status, can_send_messages, can_invite_others, can_see_history, joined_at,
            last_read_at, left_at, created_at, updated_at, deleted_at
        ) VALUES (
            clock_timestamp(), TG_OP, current_app_user_id(),
            OLD.room_id, OLD.user_id, OLD.role, OLD.status, OLD.can_send_messages, OLD.can_invite_others,
            OLD.can_see_history, OLD.joined_at, OLD.last_read_at, OLD.left_at, OLD.created_at, OLD.updated_at,
            OLD.deleted_at
        );
    END IF;
    RETURN NULL;
END;
$$;

SELECT pin_search_path('log_room_participants_changes()');
REVOKE EXECUTE ON FUNCTION log_room_participants_changes() FROM PUBLIC;

CREATE TRIGGER log_room_participants_changes_trigger
    AFTER UPDATE OR DELETE ON room_participants
    FOR EACH ROW
    EXECUTE FUNCTION log_room_participants_changes();

CREATE TRIGGER room_participants_history_append_only_trigger
    BEFORE UPDATE OR DELETE ON room_participants_history
    FOR EACH ROW
    EXECUTE FUNCTION reject_change('rows are only ever added to it', 'old rows leave by SELECT cleanup_history()');

CREATE TRIGGER room_participants_history_no_truncate_trigger
    BEFORE TRUNCATE ON room_participants_history
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('rows are only ever added to it', 'old rows leave by SELECT cleanup_history()');

CREATE TRIGGER room_participants_no_truncate_trigger
    BEFORE TRUNCATE ON room_participants
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('it would leave no trace in room_participants_history', 'DELETE FROM room_participants');

-- messages
CREATE TABLE messages_history (
    history_id UUID DEFAULT uuid_generate_v4() NOT NULL,
    changed_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    operation_type TEXT NOT NULL,
    changed_by UUID,
    changed_by_role NAME DEFAULT session_user NOT NULL,

    id UUID NOT NULL,
    room_id UUID NOT NULL,
    sender_id UUID NOT NULL,
    message_type message_type_enum NOT NULL,
    content TEXT NOT NULL,
    content_metadata JSONB NOT NULL,
    robot_id VARCHAR,
    robot_response_to UUID,
    is_robot_visible_to_guests BOOLEAN,
    delivery_status delivery_status_enum NOT NULL,
    reply_to_message_id UUID,
    thread_id UUID,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ,

    CONSTRAINT pk_messages_history PRIMARY KEY (history_id),
    CONSTRAINT chk_messages_history_operation_type CHECK (operation_type IN ('UPDATE', 'DELETE'))
);

CREATE INDEX idx_messages_history_row
    ON messages_history (id, changed_at);

CREATE INDEX idx_messages_history_changed_at
    ON messages_history USING brin (changed_at);

CREATE FUNCTION log_messages_changes()
RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD IS DISTINCT FROM NEW THEN
        INSERT INTO messages_history (
            changed_at, operation_type, changed_by,
            id, room_id, sender_id, message_type, content, content_metadata, robot_id, robot_response_to,
            is_robot_visible_to_guests, delivery_status, reply_to_message_id, thread_id, created_at, updated_at,
            deleted_at
        ) VALUES (
            clock_timestamp(), TG_OP, current_app_user_id(),
            OLD.id, OLD.room_id, OLD.sender_id, OLD.message_type, OLD.content, OLD.content_metadata, OLD.robot_id,
            OLD.robot_response_to, OLD.is_robot_visible_to_guests, OLD.delivery_status, OLD.reply_to_message_id,
            OLD.thread_id, OLD.created_at, OLD.updated_at, OLD.deleted_at
        );
    END IF;
    RETURN NULL;
END;
$$;

SELECT pin_search_path('log_messages_changes()');
REVOKE EXECUTE ON FUNCTION log_messages_changes() FROM PUBLIC;

CREATE TRIGGER log_messages_changes_trigger
    AFTER UPDATE OR DELETE ON messages
    FOR EACH ROW
    EXECUTE FUNCTION log_messages_changes();

CREATE TRIGGER messages_history_append_only_trigger
    BEFORE UPDATE OR DELETE ON messages_history
    FOR EACH ROW
    EXECUTE FUNCTION reject_change('rows are only ever added to it', 'old rows leave by SELECT cleanup_history()');

CREATE TRIGGER messages_history_no_truncate_trigger
    BEFORE TRUNCATE ON messages_history
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('rows are only ever added to it', 'old rows leave by SELECT cleanup_history()');

CREATE TRIGGER messages_no_truncate_trigger
    BEFORE TRUNCATE ON messages
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('it would leave no trace in messages_history', 'DELETE FROM messages');

-- chat_file_attachments
CREATE TABLE chat_file_attachments_history (
    history_id UUID DEFAULT uuid_generate_v4() NOT NULL,
    changed_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    operation_type TEXT NOT NULL,
    changed_by UUID,
    changed_by_role NAME DEFAULT session_user NOT NULL,

    id UUID NOT NULL,
    message_id UUID NOT NULL,
    file_manager_file_id UUID NOT NULL,
    original_filename VARCHAR NOT NULL,
    file_size BIGINT NOT NULL,
    mime_type VARCHAR NOT NULL,
    thumbnail_url VARCHAR,
    preview_available BOOLEAN,
    owner_id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ,

    CONSTRAINT pk_chat_file_attachments_history PRIMARY KEY (history_id),
    CONSTRAINT chk_chat_file_attachments_history_operation_type CHECK (operation_type IN ('UPDATE', 'DELETE'))
);

CREATE INDEX idx_chat_file_attachments_history_row
    ON chat_file_attachments_history (id, changed_at);

CREATE INDEX idx_chat_file_attachments_history_changed_at
    ON chat_file_attachments_history USING brin (changed_at);

CREATE FUNCTION log_chat_file_attachments_changes()
RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD IS DISTINCT FROM NEW THEN
        INSERT INTO chat_file_attachments_history (
            changed_at, operation_type, changed_by,
            id, message_id, file_manager_file_id, original_filename, file_size, mime_type, thumbnail_url,
            preview_available, owner_id, created_at, updated_at, deleted_at
        ) VALUES (
            clock_timestamp(), TG_OP, current_app_user_id(),
            OLD.id, OLD.message_id, OLD.file_manager_file_id, OLD.original_filename, OLD.file_size, OLD.mime_type,
            OLD.thumbnail_url, OLD.preview_available, OLD.owner_id, OLD.created_at, OLD.updated_at, OLD.deleted_at
        );
    END IF;
    RETURN NULL;
END;
$$;

SELECT pin_search_path('log_chat_file_attachments_changes()');
REVOKE EXECUTE ON FUNCTION log_chat_file_attachments_changes() FROM PUBLIC;

CREATE TRIGGER log_chat_file_attachments_changes_trigger
    AFTER UPDATE OR DELETE ON chat_file_attachments
    FOR EACH ROW
    EXECUTE FUNCTION log_chat_file_attachments_changes();

CREATE TRIGGER chat_file_attachments_history_append_only_trigger
    BEFORE UPDATE OR DELETE ON chat_file_attachments_history
    FOR EACH ROW
    EXECUTE FUNCTION reject_change('rows are only ever added to it', 'old rows leave by SELECT cleanup_history()');

CREATE TRIGGER chat_file_attachments_history_no_truncate_trigger
    BEFORE TRUNCATE ON chat_file_attachments_history
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('rows are only ever added to it', 'old rows leave by SELECT cleanup_history()');

CREATE TRIGGER chat_file_attachments_no_truncate_trigger
    BEFORE TRUNCATE ON chat_file_attachments
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('it would leave no trace in chat_file_attachments_history', 'DELETE FROM chat_file_attachments');

-- robot_interactions
CREATE TABLE robot_interactions_history (
    history_id UUID DEFAULT uuid_generate_v4() NOT NULL,
    changed_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    operation_type TEXT NOT NULL,
    changed_by UUID,
    changed_by_role NAME DEFAULT session_user NOT NULL,

    id UUID NOT NULL,
    message_id UUID NOT NULL,
    robot_id VARCHAR NOT NULL,
    request_data JSONB NOT NULL,
    observation_data JSONB,
    response_data JSONB,
    status robot_status_enum NOT NULL,
    error_message TEXT,
    started_at TIMESTAMPTZ NOT NULL,
    completed_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,

    CONSTRAINT pk_robot_interactions_history PRIMARY KEY (history_id),
    CONSTRAINT chk_robot_interactions_history_operation_type CHECK (operation_type IN ('UPDATE', 'DELETE'))
);

CREATE INDEX idx_robot_interactions_history_row
    ON robot_interactions_history (id, changed_at);

CREATE INDEX idx_robot_interactions_history_changed_at
    ON robot_interactions_history USING brin (changed_at);

CREATE FUNCTION log_robot_interactions_changes()
RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD IS DISTINCT FROM NEW THEN
        INSERT INTO robot_interactions_history (
            changed_at, operation_type, changed_by,
            id, message_id, robot_id, request_data, observation_data, response_data, status, error_message,
            started_at, completed_at, created_at, updated_at
        ) VALUES (
            clock_timestamp(), TG_OP, current_app_user_id(),
            OLD.id, OLD.message_id, OLD.robot_id, OLD.request_data, OLD.observation_data, OLD.response_data,
            OLD.status, OLD.error_message, OLD.started_at, OLD.completed_at, OLD.created_at, OLD.updated_at
        );
    END IF;
    RETURN NULL;
END;
$$;

SELECT pin_search_path('log_robot_interactions_changes()');
REVOKE EXECUTE ON FUNCTION log_robot_interactions_changes() FROM PUBLIC;

CREATE TRIGGER log_robot_interactions_changes_trigger
    AFTER UPDATE OR DELETE ON robot_interactions
    FOR EACH ROW
    EXECUTE FUNCTION log_robot_interactions_changes();

CREATE TRIGGER robot_interactions_history_append_only_trigger
    BEFORE UPDATE OR DELETE ON robot_interactions_history
    FOR EACH ROW
    EXECUTE FUNCTION reject_change('rows are only ever added to it', 'old rows leave by SELECT cleanup_history()');

CREATE TRIGGER robot_interactions_history_no_truncate_trigger
    BEFORE TRUNCATE ON robot_interactions_history
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('rows are only ever added to it', 'old rows leave by SELECT cleanup_history()');

CREATE TRIGGER robot_interactions_no_truncate_trigger
    BEFORE TRUNCATE ON robot_interactions
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('it would leave no trace in robot_interactions_history', 'DELETE FROM robot_interactions');

-- escalations
CREATE TABLE escalations_history (
    history_id UUID DEFAULT uuid_generate_v4() NOT NULL,
    changed_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    operation_type TEXT NOT NULL,
    changed_by UUID,
    changed_by_role NAME DEFAULT session_user NOT NULL,

    id UUID NOT NULL,
    source_room_id UUID NOT NULL,
    target_room_id UUID,
    escalation_reason TEXT NOT NULL,
    from_level support_level_enum NOT NULL,
    to_level support_level_enum NOT NULL,
    priority INTEGER,
    created_by_user_id UUID NOT NULL,
    assigned_to_user_id UUID,
    status escalation_status_enum NOT NULL,
    resolution_notes TEXT,
    resolved_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,

    CONSTRAINT pk_escalations_history PRIMARY KEY (history_id),
    CONSTRAINT chk_escalations_history_operation_type CHECK (operation_type IN ('UPDATE', 'DELETE'))
);

CREATE INDEX idx_escalations_history_row
    ON escalations_history (id, changed_at);

CREATE INDEX idx_escalations_history_changed_at
    ON escalations_history USING brin (changed_at);

CREATE FUNCTION log_escalations_changes()
RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD IS DISTINCT FROM NEW THEN
        INSERT INTO escalations_history (
            changed_at, operation_type, changed_by,
            id, source_room_id, target_room_id, escalation_reason, from_level, to_level, priority, created_by_user_id,
            assigned_to_user_id, status, resolution_notes, resolved_at, created_at, updated_at
        ) VALUES (
            clock_timestamp(), TG_OP, current_app_user_id(),
            OLD.id, OLD.source_room_id, OLD.target_room_id, OLD.escalation_reason, OLD.from_level, OLD.to_level,
            OLD.priority, OLD.created_by_user_id, OLD.assigned_to_user_id, OLD.status, OLD.resolution_notes,
            OLD.resolved_at, OLD.created_at, OLD.updated_at
        );
    END IF;
    RETURN NULL;
END;
$$;

SELECT pin_search_path('log_escalations_changes()');
REVOKE EXECUTE ON FUNCTION log_escalations_changes() FROM PUBLIC;

CREATE TRIGGER log_escalations_changes_trigger
    AFTER UPDATE OR DELETE ON escalations
    FOR EACH ROW
    EXECUTE FUNCTION log_escalations_changes();

CREATE TRIGGER escalations_history_append_only_trigger
    BEFORE UPDATE OR DELETE ON escalations_history
    FOR EACH ROW
    EXECUTE FUNCTION reject_change('rows are only ever added to it', 'old rows leave by SELECT cleanup_history()');

CREATE TRIGGER escalations_history_no_truncate_trigger
    BEFORE TRUNCATE ON escalations_history
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('rows are only ever added to it', 'old rows leave by SELECT cleanup_history()');

CREATE TRIGGER escalations_no_truncate_trigger
    BEFORE TRUNCATE ON escalations
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('it would leave no trace in escalations_history', 'DELETE FROM escalations');

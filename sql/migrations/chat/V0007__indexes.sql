-- chat V0007: the indexes that the design's queries use, and one for each foreign key that had none.
-- Lock: SHARE on each table, which stops writers while an index is built; the tables are new and empty.

-- Message queries (most frequent). Made on the partitioned table, they are made on every partition, also later ones.
-- A message by its id: pk_messages begins with it.
CREATE INDEX idx_messages_room_created_at
    ON messages (room_id, created_at DESC);

CREATE INDEX idx_messages_sender_created_at
    ON messages (sender_id, created_at DESC);

CREATE INDEX idx_messages_type_room
    ON messages (message_type, room_id)
    WHERE deleted_at IS NULL;

CREATE INDEX idx_messages_reply_to
    ON messages (reply_to_message_id)
    WHERE reply_to_message_id IS NOT NULL;

CREATE INDEX idx_messages_robot_response_to
    ON messages (robot_response_to)
    WHERE robot_response_to IS NOT NULL;

CREATE INDEX idx_messages_thread
    ON messages (thread_id, created_at)
    WHERE thread_id IS NOT NULL;

-- Rooms
CREATE INDEX idx_chat_rooms_creator
    ON chat_rooms (creator_id);

CREATE INDEX idx_chat_rooms_parent
    ON chat_rooms (parent_room_id)
    WHERE parent_room_id IS NOT NULL;

CREATE INDEX idx_chat_rooms_concluded_by
    ON chat_rooms (concluded_by_user_id)
    WHERE concluded_by_user_id IS NOT NULL;

-- Room participant lookups. The third serves those who are muted too, and the foreign key.
CREATE INDEX idx_room_participants_user_active
    ON room_participants (user_id)
    WHERE status = 'active';

CREATE INDEX idx_room_participants_room_active
    ON room_participants (room_id)
    WHERE status = 'active';

CREATE INDEX idx_room_participants_user_room
    ON room_participants (user_id, room_id);

-- User status and activity
CREATE INDEX idx_users_status_last_seen
    ON users (current_status, last_seen_at);

-- Robot interactions
CREATE INDEX idx_robot_interactions_status
    ON robot_interactions (status, created_at);

CREATE INDEX idx_robot_interactions_robot_id
    ON robot_interactions (robot_id, created_at DESC);

CREATE INDEX idx_robot_interactions_message
    ON robot_interactions (message_id);

-- File attachments
CREATE INDEX idx_chat_file_attachments_message
    ON chat_file_attachments (message_id);

CREATE INDEX idx_chat_file_attachments_owner
    ON chat_file_attachments (owner_id, created_at DESC);

-- Escalations
CREATE INDEX idx_escalations_source_room
    ON escalations (source_room_id);

CREATE INDEX idx_escalations_target_room
    ON escalations (target_room_id)
    WHERE target_room_id IS NOT NULL;

CREATE INDEX idx_escalations_created_by
    ON escalations (created_by_user_id);

CREATE INDEX idx_escalations_assigned_to
    ON escalations (assigned_to_user_id)
    WHERE assigned_to_user_id IS NOT NULL;

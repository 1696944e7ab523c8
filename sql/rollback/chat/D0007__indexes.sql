-- chat D0007: undoes V0007, the indexes.
-- Lock: ACCESS EXCLUSIVE on each table, held for catalog changes only.

DROP INDEX idx_escalations_assigned_to;
DROP INDEX idx_escalations_created_by;
DROP INDEX idx_escalations_target_room;
DROP INDEX idx_escalations_source_room;
DROP INDEX idx_chat_file_attachments_owner;
DROP INDEX idx_chat_file_attachments_message;
DROP INDEX idx_robot_interactions_message;
DROP INDEX idx_robot_interactions_robot_id;
DROP INDEX idx_robot_interactions_status;
DROP INDEX idx_users_status_last_seen;
DROP INDEX idx_room_participants_user_room;
DROP INDEX idx_room_participants_room_active;
DROP INDEX idx_room_participants_user_active;
DROP INDEX idx_chat_rooms_concluded_by;
DROP INDEX idx_chat_rooms_parent;
DROP INDEX idx_chat_rooms_creator;
DROP INDEX idx_messages_thread;
DROP INDEX idx_messages_robot_response_to;
DROP INDEX idx_messages_reply_to;
DROP INDEX idx_messages_type_room;
DROP INDEX idx_messages_sender_created_at;
DROP INDEX idx_messages_room_created_at;

-- chat D0008: undoes V0008; the history is lost.
-- Lock: ACCESS EXCLUSIVE on the seven tables and their histories, held for catalog changes only.

DROP TRIGGER escalations_no_truncate_trigger ON escalations;
DROP TRIGGER log_escalations_changes_trigger ON escalations;
DROP FUNCTION log_escalations_changes();
DROP TABLE escalations_history;

DROP TRIGGER robot_interactions_no_truncate_trigger ON robot_interactions;
DROP TRIGGER log_robot_interactions_changes_trigger ON robot_interactions;
DROP FUNCTION log_robot_interactions_changes();
DROP TABLE robot_interactions_history;

DROP TRIGGER chat_file_attachments_no_truncate_trigger ON chat_file_attachments;
DROP TRIGGER log_chat_file_attachments_changes_trigger ON chat_file_attachments;
DROP FUNCTION log_chat_file_attachments_changes();
DROP TABLE chat_file_attachments_history;

DROP TRIGGER messages_no_truncate_trigger ON messages;
DROP TRIGGER log_messages_changes_trigger ON messages;
DROP FUNCTION log_messages_changes();
DROP TABLE messages_history;

DROP TRIGGER room_participants_no_truncate_trigger ON room_participants;
DROP TRIGGER log_room_participants_changes_trigger ON room_participants;
DROP FUNCTION log_room_participants_changes();
DROP TABLE room_participants_history;

DROP TRIGGER chat_rooms_no_truncate_trigger ON chat_rooms;
DROP TRIGGER log_chat_rooms_changes_trigger ON chat_rooms;
DROP FUNCTION log_chat_rooms_changes();
DROP TABLE chat_rooms_history;

DROP TRIGGER users_no_truncate_trigger ON users;
DROP TRIGGER log_users_changes_trigger ON users;
DROP FUNCTION log_users_changes();
DROP TABLE users_history;

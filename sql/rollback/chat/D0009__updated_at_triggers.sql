-- chat D0009: undoes V0009, the updated_at triggers.
-- Lock: ACCESS EXCLUSIVE on each table, held for catalog changes only.

DROP TRIGGER set_updated_at_trigger ON escalations;
DROP TRIGGER set_updated_at_trigger ON robot_interactions;
DROP TRIGGER set_updated_at_trigger ON chat_file_attachments;
DROP TRIGGER set_updated_at_trigger ON messages;
DROP TRIGGER set_updated_at_trigger ON room_participants;
DROP TRIGGER set_updated_at_trigger ON chat_rooms;
DROP TRIGGER set_updated_at_trigger ON access_permission_domains;
DROP TRIGGER set_updated_at_trigger ON users;

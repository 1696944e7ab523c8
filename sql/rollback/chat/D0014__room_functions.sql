-- chat D0014: undoes V0014, the functions for common operations.
-- Lock: none on any table; functions only.

DROP FUNCTION escalate_room(UUID, TEXT, support_level_enum, support_level_enum, INTEGER);
DROP FUNCTION conclude_room(UUID, TEXT);
DROP FUNCTION leave_room(UUID);
DROP FUNCTION get_unread_counts();
DROP FUNCTION mark_room_read(UUID, TIMESTAMPTZ);
DROP FUNCTION get_room_messages(UUID, INTEGER, TIMESTAMPTZ, UUID);
DROP FUNCTION send_message(UUID, TEXT, message_type_enum, UUID, JSONB);
DROP FUNCTION create_room(TEXT, room_type_enum, BOOLEAN, BOOLEAN, INTEGER);
DROP FUNCTION require_signed_in_user();

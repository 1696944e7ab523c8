-- bridge D0004: undoes V0004; the rows of activity_mappings and activity_message_keys are lost.
-- Lock: ACCESS EXCLUSIVE on both tables, held for catalog changes only.

DROP TABLE activity_mappings;
DROP FUNCTION update_conversation_message_count();
DROP FUNCTION track_activity_message_key();
DROP TABLE activity_message_keys;

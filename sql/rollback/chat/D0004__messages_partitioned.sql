-- chat D0004: undoes V0004; the rows of messages and message_keys are lost, with all partitions that are there.
-- Lock: ACCESS EXCLUSIVE on both tables, chat_rooms and users, held for catalog changes only.

DROP TABLE messages;
DROP FUNCTION track_message_key();
DROP TABLE message_keys;

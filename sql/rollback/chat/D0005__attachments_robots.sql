-- chat D0005: undoes V0005; the rows of chat_file_attachments and robot_interactions are lost.
-- Lock: ACCESS EXCLUSIVE on both tables, message_keys and users, held for catalog changes only.

DROP TABLE robot_interactions;
DROP TABLE chat_file_attachments;

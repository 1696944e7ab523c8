-- consultor D0005: undoes V0005; the rows of messages_archive, messages and conversations are lost.
-- Lock: ACCESS EXCLUSIVE on the three tables, leads and flows, held for catalog changes only.

DROP TABLE messages_archive;
DROP TABLE messages;
DROP FUNCTION update_lead_last_interaction();
DROP TABLE conversations;

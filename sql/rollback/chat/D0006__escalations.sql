-- chat D0006: undoes V0006; the rows of escalations are lost.
-- Lock: ACCESS EXCLUSIVE on the table, chat_rooms and users, held for catalog changes only.

DROP TABLE escalations;

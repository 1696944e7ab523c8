-- recruitment D0003: undoes V0003; the rows of messages and conversations are lost.
-- Lock: ACCESS EXCLUSIVE on both tables and, for the foreign keys, on those that they refer to, held for catalog
--       changes only.

DROP TABLE messages;
DROP TABLE conversations;

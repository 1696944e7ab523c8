-- bridge D0003: undoes V0003; the rows of conversation_mappings are lost.
-- Lock: ACCESS EXCLUSIVE on the table, held for catalog changes only.

DROP TABLE conversation_mappings;

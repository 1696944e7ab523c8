-- consultor D0004: undoes V0004; the rows of flows are lost.
-- Lock: ACCESS EXCLUSIVE on flows and consultants, held for catalog changes only.

DROP TABLE flows;

-- consultor D0003: undoes V0003; the rows of leads are lost.
-- Lock: ACCESS EXCLUSIVE on leads and consultants, held for catalog changes only.

DROP TABLE leads;

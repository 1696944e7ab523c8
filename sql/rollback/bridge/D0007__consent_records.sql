-- bridge D0007: undoes V0007; the rows of consent_records are lost.
-- Lock: ACCESS EXCLUSIVE on the table, held for catalog changes only.

DROP TABLE consent_records;

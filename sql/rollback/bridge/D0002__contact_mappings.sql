-- bridge D0002: undoes V0002; the rows of contact_mappings are lost.
-- Lock: ACCESS EXCLUSIVE on the table, held for catalog changes only.

DROP TABLE contact_mappings;

-- recruitment D0004: undoes V0004; the rows of contact_labels and labels are lost.
-- Lock: ACCESS EXCLUSIVE on both tables and, for the foreign keys, on accounts and contacts, held for catalog changes
--       only.

DROP TABLE contact_labels;
DROP TABLE labels;

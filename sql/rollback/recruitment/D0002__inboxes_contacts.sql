-- recruitment D0002: undoes V0002; the rows of contacts and inboxes are lost.
-- Lock: ACCESS EXCLUSIVE on both tables and, for the foreign keys, on accounts, held for catalog changes only.

DROP TABLE contacts;
DROP TABLE inboxes;

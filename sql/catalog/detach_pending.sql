-- How does this partition stand to its parent: attached, pending, or gone?
-- Server: 14.
-- Rights: none.
SELECT i.inhdetachpending AS pending
FROM pg_catalog.pg_inherits AS i
WHERE i.inhparent = pg_catalog.to_regclass($1) AND i.inhrelid = pg_catalog.to_regclass($2)

-- Is there a relation of this name?
-- Server: 14.
-- Rights: none.
SELECT pg_catalog.to_regclass($1) IS NOT NULL AS found

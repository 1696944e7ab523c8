-- Who owns the relation of this name ($1, quoted)?
-- Server: 14.
-- Rights: none.
SELECT pg_catalog.pg_get_userbyid(c.relowner)::text AS owner
FROM pg_catalog.pg_class AS c
WHERE c.oid = pg_catalog.to_regclass($1)

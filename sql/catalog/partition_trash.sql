-- Which tables lie in the schema of those that wait for their end?
-- Server: 14.
-- Rights: none.
SELECT
    c.oid,
    n.nspname::text AS schema,
    c.relname::text AS name
FROM pg_catalog.pg_namespace AS n
INNER JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid
WHERE n.nspname = 'dbctl_trash' AND c.relkind IN ('r', 'p', 'f')
ORDER BY c.relname

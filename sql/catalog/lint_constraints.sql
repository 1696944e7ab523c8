-- Which CHECKs do the tables of these names ($1) have, and are they proven?
-- Server: 14.
-- Rights: none.
SELECT
    n.nspname::text AS schema,
    c.relname::text AS name,
    k.conname::text AS constraint_name,
    -- To print it, the server would wait for whoever holds the table.
    CASE WHEN NOT EXISTS (
        SELECT FROM pg_catalog.pg_locks AS l WHERE l.relation = k.conrelid AND l.mode = 'AccessExclusiveLock'
    ) THEN pg_catalog.pg_get_expr(k.conbin, k.conrelid) END AS expression,
    k.convalidated AS valid
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'c'
WHERE
    c.relname = ANY ($1)
    AND c.relkind IN ('r', 'p', 'f')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY n.nspname, c.relname, k.conname

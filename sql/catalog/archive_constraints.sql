-- Which constraints has this table, NOT NULL and constraint triggers aside?
-- Server: 14.
-- Rights: none.
SELECT
    k.conname::text AS name,
    k.contype::text AS kind,
    pg_catalog.pg_get_constraintdef(k.oid) AS definition
FROM pg_catalog.pg_constraint AS k
INNER JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND k.contype IN ('c', 'p', 'u', 'x', 'f')
ORDER BY pg_catalog.strpos('cpuxf', k.contype::text), k.conname

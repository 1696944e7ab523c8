-- Which indexes has this table that stand behind no constraint?
-- Server: 14.
-- Rights: none.
SELECT
    i.relname::text AS name,
    pg_catalog.pg_get_indexdef(x.indexrelid) AS definition
FROM pg_catalog.pg_index AS x
INNER JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
INNER JOIN pg_catalog.pg_class AS c ON c.oid = x.indrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    n.nspname = $1
    AND c.relname = $2
    AND x.indisvalid
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = x.indexrelid AND k.conrelid = c.oid)
ORDER BY i.relname

-- Which tables were partitions that dbctl let go, and stand on their own now?
-- Server: 14.
-- Rights: SELECT on dbctl.partition.
SELECT DISTINCT
    n.nspname::text AS schema,
    c.relname::text AS name
FROM dbctl.partition AS p
INNER JOIN pg_catalog.pg_class AS c ON c.oid = p.oid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT c.relispartition AND p.state NOT IN ('undone', 'restored')
ORDER BY 1, 2

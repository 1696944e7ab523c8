-- Which partitioned tables are these partitions of, directly or not?
-- Server: 14.
-- Rights: none.
SELECT DISTINCT
    n.nspname::TEXT AS schema,
    c.relname::TEXT AS name
FROM pg_catalog.unnest($1::OID[]) AS t (oid)
CROSS JOIN LATERAL pg_catalog.pg_partition_ancestors(t.oid) AS up
INNER JOIN pg_catalog.pg_class AS c ON c.oid = up.relid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'p'
ORDER BY 1, 2

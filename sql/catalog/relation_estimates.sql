-- How many rows and bytes do the tables of users have, as far as the server has counted?
-- Server: 14.
-- Rights: none.
SELECT
    n.nspname::text AS schema,
    c.relname::text AS name,
    -- Null where a table, or a part of it, was never counted.
    CASE WHEN pg_catalog.bool_and(l.reltuples >= 0) THEN pg_catalog.sum(l.reltuples)::float8 END AS rows,
    pg_catalog.sum(pg_catalog.pg_table_size(l.oid))::int8 AS bytes
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
-- Of a table that is neither partitioned nor a partition there is no tree.
LEFT JOIN LATERAL pg_catalog.pg_partition_tree(c.oid) AS t ON true
INNER JOIN pg_catalog.pg_class AS l ON l.oid = COALESCE(t.relid, c.oid)
WHERE
    c.oid >= 16384
    AND c.relkind IN ('r', 'p', 'm')
    AND l.relkind IN ('r', 'm')
GROUP BY n.nspname, c.relname

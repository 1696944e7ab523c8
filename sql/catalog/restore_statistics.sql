-- Which tables of a restored database want statistics, the largest first? A partitioned table takes its partitions along.
-- Server: 14.
-- Rights: none.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS relation
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND (n.nspname <> 'pg_catalog' OR c.relname = 'pg_largeobject') AND n.nspname <> 'information_schema'
ORDER BY
    (
        SELECT COALESCE(pg_catalog.sum(p.relpages), 0) + c.relpages
        FROM pg_catalog.pg_partition_tree(c.oid) AS t
        INNER JOIN pg_catalog.pg_class AS p ON p.oid = t.relid
        WHERE c.relkind = 'p'
    ) DESC,
    c.oid

-- Which tables of a restored database want statistics, the largest first? From 18 on only those that the backup had none for.
-- Server: 14.
-- Rights: none; what the role may not see in pg_stats counts as missing.
-- Before 18 a partitioned table takes its partitions along; since then each is asked for by itself.
WITH server AS MATERIALIZED (
    SELECT
        pg_catalog.current_setting('server_version_num')::INT4 >= 180000 AS takes_statistics,
        pg_catalog.current_setting('block_size')::INT8 AS block_size
),
relation AS MATERIALIZED (
    SELECT
        c.oid,
        c.relkind,
        c.relispartition,
        c.relhassubclass,
        c.relpages,
        c.reltuples,
        n.nspname,
        c.relname,
        (
            SELECT COALESCE(pg_catalog.sum(pg_catalog.pg_relation_size(t.relid)), 0)
            FROM pg_catalog.pg_partition_tree(c.oid) AS t
            WHERE c.relkind = 'p'
        ) + CASE WHEN c.relkind = 'p' THEN 0 ELSE pg_catalog.pg_relation_size(c.oid) END AS bytes
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
      AND (n.nspname <> 'pg_catalog' OR c.relname = 'pg_largeobject') AND n.nspname <> 'information_schema'
),
column_without AS MATERIALIZED (
    SELECT DISTINCT r.oid
    FROM relation AS r
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid
    LEFT JOIN pg_catalog.pg_stats AS s
        ON s.schemaname = r.nspname AND s.tablename = r.relname AND s.attname = a.attname
        AND s.inherited = (r.relkind = 'p')
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v' AND a.attstattarget IS DISTINCT FROM 0
      AND s.attname IS NULL
)
SELECT
    CASE WHEN s.takes_statistics AND r.relkind = 'p' THEN 'ONLY ' ELSE '' END
        || pg_catalog.format('%I.%I', r.nspname, r.relname) AS relation
FROM relation AS r
CROSS JOIN server AS s
WHERE CASE
    WHEN NOT s.takes_statistics THEN NOT r.relispartition
    -- Nothing is known of it; else, of what is empty, nothing more can be.
    WHEN r.reltuples < 0 THEN TRUE
    WHEN r.bytes = 0 THEN FALSE
    -- No index was built, which would have told how large it is.
    WHEN r.relkind <> 'p' AND r.relpages * s.block_size <> r.bytes THEN TRUE
    -- Statistics that no backup brings: of rows below an inheritance parent, of expressions, of several columns.
    WHEN r.relkind <> 'p' AND r.relhassubclass THEN TRUE
    WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_index AS i WHERE i.indrelid = r.oid AND i.indexprs IS NOT NULL) THEN TRUE
    WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_statistic_ext AS e WHERE e.stxrelid = r.oid) THEN TRUE
    ELSE EXISTS (SELECT 1 FROM column_without AS w WHERE w.oid = r.oid)
END
ORDER BY r.bytes DESC, r.oid

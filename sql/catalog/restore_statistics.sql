-- Which statements complete the statistics of a restored database, the largest table first?
-- Server: 14.
-- Rights: none; what the role may not see in pg_stats counts as missing.
-- From 18 on the backup brought those of most tables.
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
),
judged AS MATERIALIZED (
    SELECT
        r.oid,
        r.bytes,
        pg_catalog.format('%I.%I', r.nspname, r.relname) AS name,
        s.takes_statistics AND r.relkind = 'p' AS is_asked_alone,
        CASE
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
        END AS wants_statistics,
        s.takes_statistics AND r.relkind = 'r' AND r.reltuples > 0
            AND pg_catalog.pg_stat_get_live_tuples(r.oid) = 0 AS is_uncounted
    FROM relation AS r
    CROSS JOIN server AS s
)
SELECT a.statement
FROM (
    SELECT
        'ANALYZE ' || CASE WHEN j.is_asked_alone THEN 'ONLY ' ELSE '' END || j.name AS statement,
        j.bytes,
        j.oid
    FROM judged AS j
    WHERE j.wants_statistics
    UNION ALL
    -- Their rows went in frozen and uncounted: this reads next to nothing, and then the server knows how many there are.
    SELECT
        'VACUUM (INDEX_CLEANUP off, TRUNCATE off, PROCESS_TOAST off) ' || pg_catalog.string_agg(j.name, ', ' ORDER BY j.oid),
        0,
        0
    FROM judged AS j
    WHERE j.is_uncounted AND NOT j.wants_statistics
    HAVING pg_catalog.count(*) > 0
) AS a
ORDER BY a.bytes DESC, a.oid

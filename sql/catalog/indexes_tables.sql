-- How many rows have the tables of this database, how often were they read whole, and how much was written to them?
-- Server: 14.
-- Rights: none.
-- The size is the one that the last VACUUM or ANALYZE saw, which takes no lock.
-- With $1 only those that have an idle index, and partitions, which are judged together.
WITH idle AS MATERIALIZED (
    SELECT DISTINCT u.indrelid AS oid
    FROM pg_catalog.pg_index AS u
    WHERE $1 AND NOT u.indisunique AND COALESCE(pg_catalog.pg_stat_get_numscans(u.indexrelid), 0) = 0
)
SELECT
    t.oid,
    p.inhparent AS parent,
    n.nspname::text AS schema,
    t.relname::text AS name,
    t.relkind = 'p' AS is_partitioned,
    CASE
        WHEN t.relkind = 'p' THEN 0
        WHEN t.reltuples >= 0 THEN t.reltuples::int8
        ELSE pg_catalog.pg_stat_get_live_tuples(t.oid)
    END AS rows,
    CASE
        WHEN t.relkind = 'p' THEN 0
        ELSE GREATEST(t.relpages, 0)::int8 * pg_catalog.current_setting('block_size')::int8
    END AS bytes,
    pg_catalog.pg_stat_get_numscans(t.oid) AS scans,
    pg_catalog.pg_stat_get_tuples_returned(t.oid) AS rows_read,
    pg_catalog.pg_stat_get_tuples_inserted(t.oid) + pg_catalog.pg_stat_get_tuples_updated(t.oid)
    - pg_catalog.pg_stat_get_tuples_hot_updated(t.oid) AS writes
FROM pg_catalog.pg_class AS t
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
LEFT JOIN pg_catalog.pg_inherits AS p ON p.inhrelid = t.oid AND t.relispartition
WHERE
    t.relkind IN ('r', 'm', 'p')
    AND t.relpersistence <> 't'
    AND n.nspname <> 'information_schema'
    AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
    AND (NOT $1 OR t.relkind = 'p' OR t.relispartition OR t.oid IN (SELECT idle.oid FROM idle))
ORDER BY t.oid

-- How many blocks of this database's tables and indexes were found in shared buffers, how many not?
-- Server: 14.
-- Rights: none.
SELECT
    COALESCE(pg_catalog.sum(s.heap_blks_hit + COALESCE(s.toast_blks_hit, 0)), 0)::int8 AS tables_hit,
    COALESCE(pg_catalog.sum(s.heap_blks_read + COALESCE(s.toast_blks_read, 0)), 0)::int8 AS tables_read,
    COALESCE(pg_catalog.sum(COALESCE(s.idx_blks_hit, 0) + COALESCE(s.tidx_blks_hit, 0)), 0)::int8 AS indexes_hit,
    COALESCE(pg_catalog.sum(COALESCE(s.idx_blks_read, 0) + COALESCE(s.tidx_blks_read, 0)), 0)::int8 AS indexes_read,
    (
        SELECT pg_catalog.date_part('epoch', pg_catalog.now() - d.stats_reset)::float8
        FROM pg_catalog.pg_stat_database AS d
        WHERE d.datname = pg_catalog.current_database()
    ) AS stats_seconds
FROM pg_catalog.pg_statio_user_tables AS s

-- Since when are the uses of indexes counted here?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.current_database()::text AS database,
    pg_catalog.pg_is_in_recovery() AS standby,
    -- After a crash all counters begin anew, which only those of the background writer say.
    pg_catalog.date_part(
        'epoch',
        pg_catalog.now() - COALESCE(GREATEST(d.stats_reset, b.stats_reset), pg_catalog.pg_postmaster_start_time())
    )::float8 AS seconds
FROM pg_catalog.pg_stat_database AS d, pg_catalog.pg_stat_bgwriter AS b
WHERE d.datname = pg_catalog.current_database()

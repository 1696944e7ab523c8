-- Since when are the uses of indexes counted here?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.current_database()::text AS database,
    pg_catalog.pg_is_in_recovery() AS standby,
    -- Where nothing was ever reset they may be older; the start of the server is what is sure.
    pg_catalog.date_part(
        'epoch', pg_catalog.now() - COALESCE(d.stats_reset, pg_catalog.pg_postmaster_start_time())
    )::float8 AS seconds
FROM pg_catalog.pg_stat_database AS d
WHERE d.datname = pg_catalog.current_database()

-- Since when are the uses of indexes counted here, and does anybody else answer queries?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.current_database()::text AS database,
    pg_catalog.current_setting('server_version_num')::int8 / 10000 AS major,
    pg_catalog.pg_is_in_recovery() AS standby,
    (
        SELECT pg_catalog.count(*)
        FROM pg_catalog.pg_stat_replication AS r
        WHERE
            r.state IS DISTINCT FROM 'backup'
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_replication_slots AS s WHERE s.active_pid = r.pid AND s.slot_type = 'logical'
            )
    ) AS standbys,
    (
        SELECT pg_catalog.count(*)
        FROM pg_catalog.pg_index AS i
        INNER JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
        WHERE
            t.relkind IN ('r', 'm', 'p')
            AND t.relpersistence <> 't'
            AND NOT EXISTS (
                SELECT
                FROM pg_catalog.pg_namespace AS n
                WHERE n.oid = t.relnamespace AND (pg_catalog.starts_with(n.nspname::text, 'pg_') OR n.nspname = 'information_schema')
            )
    ) AS indexes,
    w.since,
    pg_catalog.date_part('epoch', pg_catalog.now() - w.since)::float8 AS seconds
FROM (
    -- After a crash all counters begin anew, which only those of the background writer say.
    SELECT COALESCE(GREATEST(d.stats_reset, b.stats_reset), pg_catalog.pg_postmaster_start_time()) AS since
    FROM pg_catalog.pg_stat_database AS d, pg_catalog.pg_stat_bgwriter AS b
    WHERE d.datname = pg_catalog.current_database()
) AS w

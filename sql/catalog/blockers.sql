-- Who keeps this backend waiting, and since when?
-- Server: 14.
-- Rights: pg_monitor (or the same role) to see the query text.
SELECT
    COALESCE(a.pid, 0) AS pid,
    a.usename::text AS role,
    a.application_name AS application,
    a.state,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - COALESCE(a.xact_start, a.query_start))::float8 AS age_seconds,
    pg_catalog.left(a.query, 200) AS query,
    w.relation::regclass::text AS relation
FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) AS b (pid)
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = b.pid
LEFT JOIN pg_catalog.pg_locks AS w ON w.pid = $1 AND NOT w.granted AND w.relation IS NOT NULL
ORDER BY a.xact_start NULLS LAST

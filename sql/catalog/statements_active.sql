-- Which statements run at this moment, for how long, and what do they wait for?
-- Server: 14.
-- Rights: pg_monitor (or the same role) to see state, waits and query text.
SELECT
    a.datname::text AS database,
    a.usename::text AS role,
    a.query_id AS queryid,
    a.query,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.query_start)::float8 AS seconds,
    a.wait_event_type AS waits_for,
    a.query IS NOT DISTINCT FROM '<insufficient privilege>' AS hidden
FROM pg_catalog.pg_stat_activity AS a
WHERE a.pid <> pg_catalog.pg_backend_pid()
    AND (
        (a.state = 'active' AND a.backend_type = 'client backend')
        OR a.query IS NOT DISTINCT FROM '<insufficient privilege>'
    )

-- What are these backends doing (all of them for an empty list), and since when?
-- Server: 14.
-- Rights: pg_monitor (or the same role) to see state, times, client and query text.
SELECT
    a.pid,
    CASE a.backend_type WHEN 'parallel worker' THEN a.leader_pid END AS leader,
    a.datname::text AS database,
    a.usename::text AS role,
    NULLIF(a.application_name, '') AS application,
    COALESCE(NULLIF(a.client_hostname, ''), pg_catalog.host(a.client_addr)) AS client,
    a.backend_type,
    a.state,
    pg_catalog.date_part('epoch', a.backend_start)::float8::text AS started,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.xact_start)::float8 AS transaction_seconds,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.query_start)::float8 AS query_seconds,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.state_change)::float8 AS state_seconds,
    a.wait_event_type AS waits_for,
    pg_catalog.age(a.backend_xmin)::int8 AS xmin_age,
    a.query,
    a.query IS NOT DISTINCT FROM '<insufficient privilege>' AS hidden
FROM pg_catalog.pg_stat_activity AS a
WHERE a.pid <> pg_catalog.pg_backend_pid()
    AND (
        pg_catalog.cardinality($1) = 0
        OR a.pid = ANY($1)
        OR a.pid IN (SELECT w.leader_pid FROM pg_catalog.pg_stat_activity AS w WHERE w.pid = ANY($1))
    )
ORDER BY a.pid

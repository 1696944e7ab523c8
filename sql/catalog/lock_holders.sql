-- Which sessions hold locks on these tables ($1, quoted) now, and for how long has each been at it?
-- Server: 14.
-- Rights: pg_monitor (or the same role) to see the query text.
SELECT
    t.name AS relation,
    l.mode,
    COALESCE(a.pid, 0) AS pid,
    a.usename::text AS role,
    a.application_name AS application,
    a.state,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - COALESCE(a.xact_start, a.query_start))::float8 AS age_seconds,
    pg_catalog.left(a.query, 200) AS query
FROM pg_catalog.unnest($1) AS t (name)
INNER JOIN pg_catalog.pg_locks AS l ON l.relation = pg_catalog.to_regclass(t.name)
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.granted AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
ORDER BY age_seconds DESC NULLS FIRST, t.name

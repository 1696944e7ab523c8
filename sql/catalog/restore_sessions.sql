-- Who is in this database?
-- Server: 14.
-- Rights: none; what others run is seen by members of pg_read_all_stats.
SELECT
    a.pid,
    COALESCE(a.usename::TEXT, '') AS role,
    COALESCE(a.application_name, '') AS application,
    COALESCE(a.state, '') AS state
FROM pg_catalog.pg_stat_activity AS a
WHERE a.datname = $1::TEXT
  AND a.pid <> pg_catalog.pg_backend_pid()
  AND a.backend_type = 'client backend'
ORDER BY a.pid

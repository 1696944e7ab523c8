-- Who holds the run lease?
-- Server: 14.
-- Rights: pg_monitor (or the same role) to see more than the pid.
SELECT
    l.pid,
    a.usename::text AS role,
    a.application_name AS application,
    a.client_addr::text AS client,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.backend_start)::float8 AS age_seconds
FROM pg_catalog.pg_locks AS l
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE
    l.locktype = 'advisory'
    AND l.granted
    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
    AND l.classid = $1::int8::oid
    AND l.objid = $2::int8::oid
    AND l.objsubid = 2

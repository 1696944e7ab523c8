-- Which relations of this database does somebody hold exclusively, and who is it?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS relation,
    COALESCE(l.pid, 0) AS pid,
    a.usename::text AS role,
    a.application_name AS application
FROM pg_catalog.pg_locks AS l
INNER JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
INNER JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
ORDER BY 1, 2
LIMIT 5

-- May these backends be cancelled or ended by us, and whose are they?
-- Server: 14.
-- Rights: none.
SELECT
    a.pid,
    COALESCE(r.rolsuper, false) AS superuser,
    COALESCE(a.backend_type = 'walsender', r.rolreplication AND a.backend_type IS NULL, false) AS replication
FROM pg_catalog.pg_stat_activity AS a
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.usesysid
WHERE a.pid = ANY($1)
ORDER BY a.pid

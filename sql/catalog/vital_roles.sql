-- Which roles have a limit of connections, and how many do they have?
-- Server: 14.
-- Rights: none.
SELECT
    r.rolname::text AS role,
    r.rolconnlimit::int8 AS connection_limit,
    (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity AS a WHERE a.usesysid = r.oid) AS connections
FROM pg_catalog.pg_roles AS r
WHERE r.rolconnlimit >= 0 AND r.rolcanlogin AND NOT r.rolsuper
ORDER BY r.rolname

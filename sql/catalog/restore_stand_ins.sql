-- Which roles are stand-ins of restores?
-- Server: 14.
-- Rights: none.
SELECT
    r.rolname::TEXT AS name,
    pg_catalog.substr(pg_catalog.shobj_description(r.oid, 'pg_authid'), pg_catalog.length('dbctl restore: stand-in ') + 1) AS about
FROM pg_catalog.pg_roles AS r
WHERE pg_catalog.shobj_description(r.oid, 'pg_authid') LIKE 'dbctl restore: stand-in %'
ORDER BY r.rolname

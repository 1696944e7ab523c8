-- Which databases are there, what marks them, and do they let anybody in?
-- Server: 14.
-- Rights: none.
SELECT
    d.datname::TEXT AS name,
    pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
    d.datallowconn AS allows,
    d.datconnlimit AS connection_limit
FROM pg_catalog.pg_database AS d
WHERE NOT d.datistemplate
ORDER BY d.datname

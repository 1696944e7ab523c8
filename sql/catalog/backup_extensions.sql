-- Which extensions does this database use?
-- Server: 14.
-- Rights: none.
SELECT
    x.extname::TEXT AS name,
    x.extversion AS version,
    n.nspname::TEXT AS schema
FROM pg_catalog.pg_extension AS x
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = x.extnamespace
WHERE x.extname <> 'plpgsql'
ORDER BY x.extname

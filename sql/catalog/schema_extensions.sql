-- What extensions are there, in what version and schema?
-- Server: 14.
-- Rights: none.
SELECT
    'extension' AS kind,
    x.extname AS name,
    x.extversion AS version,
    n.nspname AS schema
FROM pg_catalog.pg_extension AS x
JOIN pg_catalog.pg_namespace AS n ON n.oid = x.extnamespace

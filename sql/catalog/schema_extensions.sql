-- What extensions are there, in what version and schema?
-- Server: 14.
-- Rights: none.
SELECT
    'extension' AS kind,
    x.extname AS name,
    x.extversion AS version,
    n.nspname AS schema,
    -- What its control file says is nobody's.
    NULLIF(d.description, a.comment) AS comment
FROM pg_catalog.pg_extension AS x
JOIN pg_catalog.pg_namespace AS n ON n.oid = x.extnamespace
LEFT JOIN pg_catalog.pg_available_extensions AS a ON a.name = x.extname
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = x.oid AND d.classoid = 'pg_catalog.pg_extension'::REGCLASS AND d.objsubid = 0

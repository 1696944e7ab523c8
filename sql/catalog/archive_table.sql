-- What is this relation, and where and when do we look at it?
-- Server: 14.
-- Rights: none.
SELECT
    c.oid AS oid,
    c.relkind::text AS kind,
    pg_catalog.current_database()::text AS database,
    pg_catalog.current_setting('server_encoding') AS encoding,
    pg_catalog.current_setting('server_version') AS version,
    pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2

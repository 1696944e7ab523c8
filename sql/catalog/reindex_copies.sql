-- Which half-built copies of REINDEX CONCURRENTLY are left on this table that nobody works on?
-- Server: 14.
-- Rights: none.
SELECT
    i.indexrelid AS oid,
    n.nspname::text AS schema,
    c.relname::text AS name
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    i.indrelid = $1
    AND NOT i.indisvalid
    AND c.relname ~ '_cc(new|old)[0-9]*$'
    AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_locks AS l
        WHERE
            l.relation = i.indexrelid
            AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
            AND l.pid <> pg_catalog.pg_backend_pid()
            AND l.mode <> 'AccessShareLock'
    )
ORDER BY i.indexrelid

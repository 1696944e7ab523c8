-- Which half-built copies of REINDEX CONCURRENTLY are left that nobody works on?
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
    NOT i.indisvalid
    AND c.relname ~ '_cc(new|old)[0-9]*$'
    AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_locks AS l
        WHERE l.relation = i.indexrelid AND l.pid <> pg_catalog.pg_backend_pid()
    )
ORDER BY i.indexrelid

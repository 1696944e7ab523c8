-- Is there an index of this name beside this table, is it valid, and is somebody working on it?
-- Server: 14.
-- Rights: none.
SELECT
    i.indexrelid AS oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    i.indisvalid AND i.indisready AS valid,
    EXISTS (
        SELECT
        FROM pg_catalog.pg_locks AS l
        WHERE
            l.relation = i.indexrelid
            AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
            AND l.pid <> pg_catalog.pg_backend_pid()
            AND l.mode <> 'AccessShareLock'
    )
    OR EXISTS (
        SELECT
        FROM pg_catalog.pg_stat_progress_create_index AS p
        WHERE p.relid = i.indrelid AND p.pid <> pg_catalog.pg_backend_pid()
    ) AS busy
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relname = $2
    AND c.relnamespace = (SELECT t.relnamespace FROM pg_catalog.pg_class AS t WHERE t.oid = pg_catalog.to_regclass($1))

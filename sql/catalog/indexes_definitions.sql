-- How are these indexes ($1) made?
-- Server: 14.
-- Rights: none.
-- To write down an expression takes a lock on its table: of those that somebody holds exclusively nothing is said.
SELECT i.indexrelid AS oid, pg_catalog.pg_get_indexdef(i.indexrelid) AS definition
FROM pg_catalog.pg_index AS i
WHERE
    i.indexrelid = ANY($1)
    AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_locks AS l
        WHERE
            l.relation IN (i.indexrelid, i.indrelid)
            AND l.mode = 'AccessExclusiveLock'
            AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
    )

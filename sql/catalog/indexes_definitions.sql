-- How are these indexes ($1) made?
-- Server: 14.
-- Rights: none.
-- The server opens an index's table to say it: what somebody holds exclusively is left out.
WITH held AS MATERIALIZED (
    SELECT DISTINCT l.relation
    FROM pg_catalog.pg_locks AS l
    INNER JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
    WHERE l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
)
SELECT i.indexrelid AS oid, pg_catalog.pg_get_indexdef(i.indexrelid) AS definition
FROM pg_catalog.pg_index AS i
WHERE i.indexrelid = ANY($1) AND NOT EXISTS (SELECT FROM held AS h WHERE h.relation IN (i.indexrelid, i.indrelid))

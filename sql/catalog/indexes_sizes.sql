-- How large are these indexes and tables ($1)?
-- Server: 14.
-- Rights: none.
-- A size function waits for a lock that conflicts with ACCESS SHARE: what somebody holds exclusively is left out.
WITH held AS MATERIALIZED (
    SELECT DISTINCT l.relation
    FROM pg_catalog.pg_locks AS l
    INNER JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
    WHERE l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
)
SELECT c.oid, pg_catalog.pg_relation_size(c.oid) AS bytes
FROM pg_catalog.pg_class AS c
WHERE c.oid = ANY($1) AND NOT EXISTS (SELECT FROM held AS h WHERE h.relation = c.oid)

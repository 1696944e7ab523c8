-- Which relations has another session locked at this moment, or is about to?
-- Server: 14.
-- Rights: none.
SELECT l.relation::int8 AS relation, l.mode, l.granted
FROM pg_catalog.pg_locks AS l
WHERE
    l.pid = $1
    AND l.locktype = 'relation'
    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
    AND l.relation >= 16384

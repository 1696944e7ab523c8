-- How large are these tables with their indexes and TOAST, where nobody holds them exclusively?
-- Server: 14.
-- Rights: none.
SELECT
    c.oid,
    CASE
        WHEN NOT EXISTS (
            SELECT FROM pg_catalog.pg_locks AS l
            INNER JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
            WHERE l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
                AND (
                    l.relation IN (c.oid, c.reltoastrelid)
                    OR l.relation IN (SELECT i.indexrelid FROM pg_catalog.pg_index AS i WHERE i.indrelid IN (c.oid, c.reltoastrelid))
                )
        ) THEN pg_catalog.pg_total_relation_size(c.oid)
    END AS bytes
FROM pg_catalog.pg_class AS c
WHERE c.oid = ANY ($1)
ORDER BY c.oid

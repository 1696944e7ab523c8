-- How large are these tables with their indexes and TOAST, and what of it is rows, where nobody holds them exclusively?
-- Server: 14.
-- Rights: none.
WITH
-- The locks are looked at once, not for each table.
held AS MATERIALIZED (
    SELECT l.relation
    FROM pg_catalog.pg_locks AS l
    INNER JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
    WHERE l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid() AND l.relation IS NOT NULL
),

taken AS MATERIALIZED (
    SELECT h.relation FROM held AS h
    UNION
    SELECT i.indrelid
    FROM pg_catalog.pg_index AS i
    INNER JOIN held AS h ON h.relation = i.indexrelid
),

free AS (
    SELECT
        c.oid,
        c.reltoastrelid,
        NOT EXISTS (SELECT FROM taken AS t WHERE t.relation IN (c.oid, c.reltoastrelid)) AS is_free
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = ANY ($1)
)

SELECT
    f.oid,
    CASE WHEN f.is_free THEN pg_catalog.pg_total_relation_size(f.oid) END AS bytes,
    CASE
        WHEN f.is_free THEN pg_catalog.pg_relation_size(f.oid) + COALESCE(pg_catalog.pg_relation_size(NULLIF(f.reltoastrelid, 0)), 0)
    END AS row_bytes
FROM free AS f
ORDER BY f.oid

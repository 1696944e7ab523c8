-- How large are tables and indexes, which of them are worth a closer look, and what belongs to those?
-- Server: 14.
-- Rights: none.
-- The size function waits for a lock that conflicts with ACCESS SHARE: what somebody holds exclusively, or everything
-- where $1 says so, has the size that the last VACUUM or ANALYZE saw.
-- Worth a look is what has at least $2 bytes, and what no model tells: its sizes are kept to compare with.
WITH held AS MATERIALIZED (
    SELECT DISTINCT l.relation
    FROM pg_catalog.pg_locks AS l
    INNER JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
    WHERE l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
),
sized AS MATERIALIZED (
    SELECT
        c.oid,
        c.relkind,
        c.relkind = 't' OR c.relam NOT IN (2, 403) AND c.relkind = 'i' AS is_unmodelled,
        h.relation IS NOT NULL OR $1 AS estimated,
        CASE
            WHEN h.relation IS NOT NULL OR $1 THEN c.relpages::int8 * pg_catalog.current_setting('block_size')::int8
            ELSE pg_catalog.pg_relation_size(c.oid)
        END AS bytes
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN held AS h ON h.relation = c.oid
    WHERE c.relkind IN ('r', 'm', 't', 'i') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
),
worth AS MATERIALIZED (
    SELECT s.oid, s.relkind FROM sized AS s WHERE s.bytes >= $2 OR (s.is_unmodelled AND s.bytes > 0)
),
tables AS MATERIALIZED (
    SELECT w.oid FROM worth AS w WHERE w.relkind <> 'i'
    UNION
    SELECT i.indrelid FROM worth AS w INNER JOIN pg_catalog.pg_index AS i ON i.indexrelid = w.oid AND w.relkind = 'i'
),
-- A TOAST table is told as a part of its table.
chosen AS MATERIALIZED (
    SELECT w.oid FROM worth AS w
    UNION
    SELECT t.oid FROM tables AS t
    UNION
    SELECT o.oid FROM tables AS t INNER JOIN pg_catalog.pg_class AS o ON o.reltoastrelid = t.oid
)
SELECT
    COALESCE(pg_catalog.array_agg(s.oid) FILTER (WHERE c.oid IS NOT NULL), '{}') AS oids,
    COALESCE(pg_catalog.array_agg(s.bytes) FILTER (WHERE c.oid IS NOT NULL), '{}') AS bytes,
    COALESCE(pg_catalog.array_agg(s.estimated) FILTER (WHERE c.oid IS NOT NULL), '{}') AS estimated,
    pg_catalog.count(*) FILTER (WHERE c.oid IS NULL AND s.bytes > 0) AS smaller
FROM sized AS s
LEFT JOIN chosen AS c ON c.oid = s.oid

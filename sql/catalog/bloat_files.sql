-- How large are tables and indexes, which of them are worth a closer look, and what belongs to those?
-- Server: 14.
-- Rights: EXECUTE on pg_stat_file, as superusers have it.
-- The same as bloat_sizes in a third of the time: no relation is opened. What has another file by now than this statement
-- saw, or more than one, is asked for by name; what somebody holds is about to change, and has the size of the last VACUUM.
-- Worth a look is what has at least $2 bytes, and what no model tells: its sizes are kept to compare with.
WITH held AS MATERIALIZED (
    SELECT DISTINCT l.relation
    FROM pg_catalog.pg_locks AS l
    INNER JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
    WHERE l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
),
sized AS MATERIALIZED (
    SELECT
        f.oid,
        f.relkind,
        f.is_unmodelled,
        h.relation IS NOT NULL OR $1 AS estimated,
        CASE
            WHEN h.relation IS NOT NULL OR $1 THEN f.pages * pg_catalog.current_setting('block_size')::int8
            WHEN f.bytes <> f.most THEN f.bytes
            ELSE pg_catalog.pg_relation_size(f.oid)
        END AS bytes
    FROM (
        SELECT
            c.oid,
            c.relkind,
            c.relkind = 't' OR c.relam NOT IN (2, 403) AND c.relkind = 'i' AS is_unmodelled,
            c.relpages::int8 AS pages,
            (pg_catalog.pg_stat_file(pg_catalog.pg_relation_filepath(c.oid), true)).size AS bytes,
            pg_catalog.pg_size_bytes(pg_catalog.current_setting('segment_size')) AS most
        FROM pg_catalog.pg_class AS c
        INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'm', 't', 'i') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
        -- Each file is asked once, not once for every use of its size.
        OFFSET 0
    ) AS f
    LEFT JOIN held AS h ON h.relation = f.oid
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

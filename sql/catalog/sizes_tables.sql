-- How large is every table of this database, in its parts, and which size is an estimate because somebody holds the table?
-- Server: 14.
-- Rights: none.
-- A size function waits for a lock that conflicts with ACCESS SHARE: what somebody holds or waits for exclusively has
-- the size that the last VACUUM or ANALYZE saw, NULL without one.
WITH held AS MATERIALIZED (
    SELECT DISTINCT l.relation
    FROM pg_catalog.pg_locks AS l
    INNER JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
    WHERE l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
),
sizes AS MATERIALIZED (
    SELECT
        c.oid,
        h.relation IS NOT NULL OR $1 AS estimated,
        CASE
            -- What no VACUUM has seen has no pages on record; an index has those of its making.
            WHEN (h.relation IS NOT NULL OR $1) AND c.reltuples < 0 AND c.relkind <> 'i' THEN NULL
            WHEN h.relation IS NOT NULL OR $1
                THEN c.relpages::int8 * pg_catalog.current_setting('block_size')::int8
            ELSE pg_catalog.pg_relation_size(c.oid, 'main') + pg_catalog.pg_relation_size(c.oid, 'fsm')
                + pg_catalog.pg_relation_size(c.oid, 'vm')
        END AS bytes
    FROM pg_catalog.pg_class AS c
    LEFT JOIN held AS h ON h.relation = c.oid
    WHERE c.relkind IN ('r', 'm', 't', 'i') AND c.relpersistence <> 't'
),
indexes AS (
    SELECT i.indrelid, pg_catalog.count(*) AS number, pg_catalog.sum(s.bytes)::int8 AS bytes, pg_catalog.bool_or(s.estimated) AS estimated
    FROM pg_catalog.pg_index AS i
    LEFT JOIN sizes AS s ON s.oid = i.indexrelid
    GROUP BY i.indrelid
)
SELECT
    c.oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relkind::text AS kind,
    h.inhparent AS parent,
    s.bytes AS heap_bytes,
    COALESCE(t.bytes, 0) + COALESCE(ti.bytes, 0) AS toast_bytes,
    COALESCE(x.bytes, 0) AS index_bytes,
    COALESCE(x.number, 0)::int8 AS indexes,
    CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END AS rows,
    COALESCE(s.estimated, false) OR COALESCE(t.estimated, false) OR COALESCE(x.estimated, false)
    OR COALESCE(ti.estimated, false) AS estimated,
    (s.oid IS NOT NULL AND s.bytes IS NULL) OR (t.oid IS NOT NULL AND t.bytes IS NULL) AS unknown
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = c.oid AND c.relispartition
LEFT JOIN sizes AS s ON s.oid = c.oid
LEFT JOIN sizes AS t ON t.oid = c.reltoastrelid
LEFT JOIN indexes AS ti ON ti.indrelid = c.reltoastrelid
LEFT JOIN indexes AS x ON x.indrelid = c.oid
WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
ORDER BY c.oid

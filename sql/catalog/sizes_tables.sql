-- How large is every table of this database, in its parts, and which size is an estimate because somebody holds the table?
-- Server: 14.
-- Rights: none.
-- A size function waits for a lock that conflicts with ACCESS SHARE: what somebody holds or waits for exclusively has
-- the size that the last VACUUM or ANALYZE saw, and is unknown without one.
-- Few calls a table: opening each relation once is what this takes its time for.
WITH locked AS MATERIALIZED (
    SELECT DISTINCT l.relation
    FROM pg_catalog.pg_locks AS l
    INNER JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
    WHERE l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
),
-- Whoever holds an index or the TOAST table of a table holds it here.
owned AS MATERIALIZED (
    SELECT l.relation FROM locked AS l
    UNION
    SELECT i.indrelid FROM locked AS l INNER JOIN pg_catalog.pg_index AS i ON i.indexrelid = l.relation
),
held AS MATERIALIZED (
    SELECT o.relation FROM owned AS o
    UNION
    SELECT c.oid FROM owned AS o INNER JOIN pg_catalog.pg_class AS c ON c.reltoastrelid = o.relation AND o.relation <> 0
),
tables AS MATERIALIZED (
    SELECT
        c.oid,
        n.nspname::text AS schema,
        c.relname::text AS name,
        c.relkind,
        c.relpersistence,
        c.relispartition,
        c.reltoastrelid,
        c.reltuples,
        c.relpages,
        c.relkind <> 'p' AND ($1 OR EXISTS (SELECT FROM held AS h WHERE h.relation = c.oid)) AS estimated
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
)
SELECT
    c.oid,
    c.schema,
    c.name,
    c.relkind::text AS kind,
    h.inhparent AS parent,
    CASE
        WHEN c.relkind = 'p' THEN 0
        WHEN c.estimated THEN c.relpages::int8 * pg_catalog.current_setting('block_size')::int8
        ELSE pg_catalog.pg_relation_size(c.oid, 'main') + pg_catalog.pg_relation_size(c.oid, 'fsm')
            + pg_catalog.pg_relation_size(c.oid, 'vm')
            + CASE WHEN c.relpersistence = 'u' THEN pg_catalog.pg_relation_size(c.oid, 'init') ELSE 0 END
    END AS heap_bytes,
    CASE
        WHEN c.reltoastrelid = 0 THEN 0
        WHEN c.estimated THEN t.relpages::int8 * pg_catalog.current_setting('block_size')::int8 + (
            SELECT COALESCE(pg_catalog.sum(x.relpages::int8), 0)::int8 * pg_catalog.current_setting('block_size')::int8
            FROM pg_catalog.pg_index AS i
            INNER JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
            WHERE i.indrelid = c.reltoastrelid
        )
        ELSE pg_catalog.pg_total_relation_size(c.reltoastrelid)
    END AS toast_bytes,
    CASE
        WHEN COALESCE(k.number, 0) = 0 OR c.relkind = 'p' THEN 0
        WHEN c.estimated THEN k.pages * pg_catalog.current_setting('block_size')::int8
        ELSE pg_catalog.pg_indexes_size(c.oid)
    END AS index_bytes,
    COALESCE(k.number, 0)::int8 AS indexes,
    CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END AS rows,
    c.estimated,
    -- What no VACUUM has seen has no pages on record; an index has those of its making. ANALYZE sees no TOAST table.
    c.estimated AND c.reltuples < 0 AS heap_unknown,
    c.estimated AND COALESCE(t.reltuples, 0) < 0 AS toast_unknown
FROM tables AS c
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
LEFT JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = c.oid AND c.relispartition
LEFT JOIN (
    SELECT i.indrelid, pg_catalog.count(*) AS number, pg_catalog.sum(x.relpages::int8)::int8 AS pages
    FROM pg_catalog.pg_index AS i
    INNER JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
    GROUP BY i.indrelid
) AS k ON k.indrelid = c.oid
ORDER BY c.oid

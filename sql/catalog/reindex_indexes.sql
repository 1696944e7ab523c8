-- Which indexes can be built anew, of which tables, how large are they, and what stands in the way?
-- Server: 14.
-- Rights: none.
-- A size function waits for a lock that conflicts with ACCESS SHARE: what somebody holds exclusively, or everything
-- where $1 says so, has the size that the last VACUUM or ANALYZE saw. An index of a TOAST table is told with the table
-- that owns that, and can be named only by those who may use the schema pg_toast.
WITH held AS MATERIALIZED (
    SELECT DISTINCT l.relation
    FROM pg_catalog.pg_locks AS l
    INNER JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
    WHERE l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
),
building AS MATERIALIZED (
    SELECT DISTINCT l.relation
    FROM pg_catalog.pg_locks AS l
    INNER JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
    WHERE
        l.mode = 'ShareUpdateExclusiveLock'
        AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
),
owners AS MATERIALIZED (
    SELECT m.oid, m.reltoastrelid
    FROM pg_catalog.pg_class AS m
    WHERE m.reltoastrelid <> 0
)
SELECT
    i.indexrelid AS oid,
    c.relfilenode AS filenode,
    cn.nspname::text AS schema,
    c.relname::text AS name,
    i.indrelid AS heap_oid,
    o.oid AS table_oid,
    n.nspname::text AS table_schema,
    o.relname::text AS table_name,
    CASE
        WHEN o.relispartition
            THEN (SELECT pg_catalog.array_agg(a.relid::oid) FROM pg_catalog.pg_partition_ancestors(o.oid) AS a)
        ELSE ARRAY[o.oid]
    END AS tables,
    CASE
        WHEN c.relispartition
            THEN (SELECT pg_catalog.array_agg(a.relid::oid) FROM pg_catalog.pg_partition_ancestors(c.oid) AS a)
        ELSE ARRAY[c.oid]
    END AS indexes,
    c.relkind = 'I' AS is_partitioned,
    t.relkind = 't' AS is_toast,
    o.oid::int8 < 16384 AS is_system,
    i.indisexclusion AS is_exclusion,
    i.indisvalid AND i.indisready AND i.indislive AS is_valid,
    b.relation IS NOT NULL AS is_held,
    pg_catalog.pg_has_role(o.relowner, 'USAGE') AS owns,
    (
        pg_catalog.pg_has_role(o.relowner, 'USAGE')
        -- The right exists since 17; before, its name is not asked for.
        OR CASE
            WHEN pg_catalog.current_setting('server_version_num')::int4 >= 170000
                THEN pg_catalog.has_table_privilege(o.oid, 'MAINTAIN')
            ELSE false
        END
    )
    AND (t.relkind <> 't' OR pg_catalog.has_schema_privilege('pg_toast', 'USAGE')) AS may,
    CASE WHEN c.reltablespace <> 0 THEN NULLIF(pg_catalog.pg_tablespace_location(c.reltablespace), '') END AS place,
    CASE
        WHEN c.relkind = 'I' THEN 0
        -- Those of the system are not built.
        WHEN h.relation IS NOT NULL OR $1 OR o.oid::int8 < 16384 THEN c.relpages::int8 * pg_catalog.current_setting('block_size')::int8
        ELSE pg_catalog.pg_relation_size(c.oid)
    END AS bytes
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_namespace AS cn ON cn.oid = c.relnamespace
INNER JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
LEFT JOIN owners AS w ON w.reltoastrelid = t.oid
INNER JOIN pg_catalog.pg_class AS o ON o.oid = COALESCE(w.oid, t.oid)
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = o.relnamespace
LEFT JOIN held AS h ON h.relation = i.indexrelid
LEFT JOIN building AS b ON b.relation = i.indexrelid
WHERE o.relkind IN ('r', 'm', 'p') AND o.relpersistence <> 't'
ORDER BY i.indexrelid

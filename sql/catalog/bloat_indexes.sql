-- What does the catalog know of the size, the entries and the layout of every index?
-- Server: 14.
-- Rights: none.
-- What somebody holds exclusively, or everything where $1 says so, has the size that the last VACUUM or ANALYZE saw.
WITH held AS MATERIALIZED (
    SELECT DISTINCT l.relation
    FROM pg_catalog.pg_locks AS l
    INNER JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
    WHERE l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
),
layouts AS MATERIALIZED (
    SELECT
        a.attrelid,
        pg_catalog.array_agg(a.attlen::int4 ORDER BY a.attnum) AS lengths,
        pg_catalog.string_agg(a.attalign::text, '' ORDER BY a.attnum) AS alignments
    FROM pg_catalog.pg_attribute AS a
    INNER JOIN pg_catalog.pg_index AS i ON i.indexrelid = a.attrelid
    WHERE a.attnum > 0
    GROUP BY a.attrelid
)
SELECT
    c.oid,
    i.indrelid AS table_oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    m.amname::text AS method,
    c.relfilenode::int8 AS file,
    CASE
        WHEN h.relation IS NOT NULL OR $1 THEN c.relpages::int8 * pg_catalog.current_setting('block_size')::int8
        ELSE pg_catalog.pg_relation_size(c.oid)
    END AS bytes,
    h.relation IS NOT NULL OR $1 AS estimated,
    c.relpages::int8 AS pages,
    c.reltuples::float8 AS rows,
    COALESCE(c.reloptions, '{}') AS options,
    i.indisunique AS is_unique,
    i.indpred IS NOT NULL AS is_partial,
    i.indisvalid AS is_valid,
    i.indnatts > i.indnkeyatts AS has_extras,
    i.indclass::oid[] AS classes,
    i.indcollation::oid[] AS collations,
    i.indkey::int2[]::int4[] AS columns,
    y.lengths,
    y.alignments
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
INNER JOIN layouts AS y ON y.attrelid = c.oid
LEFT JOIN held AS h ON h.relation = c.oid
WHERE c.relkind = 'i' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
ORDER BY c.oid

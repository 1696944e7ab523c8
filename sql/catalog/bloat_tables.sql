-- What does the catalog know of the size, the rows and the layout of every table, TOAST table and materialized view?
-- Server: 14.
-- Rights: none.
-- The size function waits for a lock that conflicts with ACCESS SHARE: what somebody holds exclusively, or everything
-- where $1 says so, has the size that the last VACUUM or ANALYZE saw. Of what is partitioned only the name is told.
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
        pg_catalog.string_agg(a.attalign::text, '' ORDER BY a.attnum) AS alignments,
        pg_catalog.array_agg(a.attisdropped ORDER BY a.attnum) AS dropped,
        pg_catalog.array_agg(a.atthasmissing ORDER BY a.attnum) AS missing,
        pg_catalog.array_agg(a.attnotnull ORDER BY a.attnum) AS not_null
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attnum > 0
    GROUP BY a.attrelid
)
SELECT
    c.oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relkind::text AS kind,
    p.inhparent AS parent,
    o.oid AS owner_oid,
    c.relfilenode::int8 AS file,
    CASE
        WHEN c.relkind = 'p' THEN 0
        WHEN h.relation IS NOT NULL OR $1 THEN c.relpages::int8 * pg_catalog.current_setting('block_size')::int8
        ELSE pg_catalog.pg_relation_size(c.oid)
    END AS bytes,
    c.relkind <> 'p' AND (h.relation IS NOT NULL OR $1) AS estimated,
    pg_catalog.current_setting('block_size')::int8 AS block,
    c.relpages::int8 AS pages,
    c.reltuples::float8 AS rows,
    c.reltoastrelid <> 0 AS has_toast,
    COALESCE(c.reloptions, '{}') AS options,
    pg_catalog.pg_stat_get_live_tuples(c.oid) AS live,
    pg_catalog.pg_stat_get_dead_tuples(c.oid) AS dead,
    pg_catalog.pg_stat_get_mod_since_analyze(c.oid) AS changed,
    pg_catalog.pg_stat_get_last_analyze_time(c.oid) IS NOT NULL
    OR pg_catalog.pg_stat_get_last_autoanalyze_time(c.oid) IS NOT NULL AS is_analyzed,
    y.lengths,
    y.alignments,
    y.dropped,
    y.missing,
    y.not_null
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN layouts AS y ON y.attrelid = c.oid
LEFT JOIN pg_catalog.pg_class AS o ON o.reltoastrelid = c.oid AND c.relkind = 't'
LEFT JOIN pg_catalog.pg_inherits AS p ON p.inhrelid = c.oid AND c.relispartition
LEFT JOIN held AS h ON h.relation = c.oid
WHERE c.relkind IN ('r', 'm', 't', 'p') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
ORDER BY c.oid

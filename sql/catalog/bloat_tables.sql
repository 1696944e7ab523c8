-- What does the catalog know of the rows and the layout of these ($1) tables, TOAST tables and materialized views?
-- Server: 14.
-- Rights: none.
-- Of what is partitioned only the name is told.
WITH layouts AS MATERIALIZED (
    SELECT
        a.attrelid,
        pg_catalog.array_agg(a.attlen::int4 ORDER BY a.attnum) AS lengths,
        pg_catalog.string_agg(a.attalign::text, '' ORDER BY a.attnum) AS alignments,
        pg_catalog.array_agg(a.attisdropped ORDER BY a.attnum) AS dropped,
        pg_catalog.array_agg(a.atthasmissing ORDER BY a.attnum) AS missing,
        pg_catalog.array_agg(a.attnotnull ORDER BY a.attnum) AS not_null
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attnum > 0 AND a.attrelid = ANY($1)
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
    COALESCE(y.lengths, '{}') AS lengths,
    COALESCE(y.alignments, '') AS alignments,
    COALESCE(y.dropped, '{}') AS dropped,
    COALESCE(y.missing, '{}') AS missing,
    COALESCE(y.not_null, '{}') AS not_null
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN layouts AS y ON y.attrelid = c.oid
LEFT JOIN pg_catalog.pg_class AS o ON o.reltoastrelid = c.oid AND c.relkind = 't'
LEFT JOIN pg_catalog.pg_inherits AS p ON p.inhrelid = c.oid AND c.relispartition
WHERE (c.oid = ANY($1) AND c.relkind <> 'i' AND y.attrelid IS NOT NULL) OR c.relkind = 'p'
ORDER BY c.oid

-- What does the catalog know of the entries and the layout of these ($1) indexes?
-- Server: 14.
-- Rights: none.
WITH layouts AS MATERIALIZED (
    SELECT
        a.attrelid,
        pg_catalog.array_agg(a.attlen::int4 ORDER BY a.attnum) AS lengths,
        pg_catalog.string_agg(a.attalign::text, '' ORDER BY a.attnum) AS alignments
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attnum > 0 AND a.attrelid = ANY($1)
    GROUP BY a.attrelid
)
SELECT
    c.oid,
    i.indrelid AS table_oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    m.amname::text AS method,
    c.relfilenode::int8 AS file,
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
WHERE i.indexrelid = ANY($1) AND c.relkind = 'i'
ORDER BY c.oid

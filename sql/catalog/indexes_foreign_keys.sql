-- Which foreign keys are there, on which columns, and how many rows and bytes has their table?
-- Server: 14.
-- Rights: none.
SELECT
    k.conrelid AS table_oid,
    n.nspname::text AS schema,
    t.relname::text AS table_name,
    k.conname::text AS name,
    k.conkey::int8[] AS columns,
    (
        SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.at)
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u (attnum, at)
        INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
    ) AS names,
    t.relkind = 'p' AS is_partitioned,
    (
        SELECT GREATEST(pg_catalog.sum(GREATEST(l.reltuples, 0)), GREATEST(t.reltuples, 0))::int8
        FROM pg_catalog.pg_inherits AS p
        INNER JOIN pg_catalog.pg_class AS l ON l.oid = p.inhrelid
        WHERE p.inhparent = k.conrelid
    ) AS rows
FROM pg_catalog.pg_constraint AS k
INNER JOIN pg_catalog.pg_class AS t ON t.oid = k.conrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND t.relpersistence <> 't'
ORDER BY 2, 3, 4

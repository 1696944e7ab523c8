-- Which foreign keys are there, those of partitions with those they belong to, and on which columns?
-- Server: 14.
-- Rights: none.
-- One that refers to a partitioned table has a row for each of its partitions as well.
SELECT
    k.oid,
    NULLIF(k.conparentid, 0) AS parent,
    k.conrelid AS table_oid,
    n.nspname::text AS schema,
    t.relname::text AS table_name,
    k.conname::text AS name,
    k.conkey::int8[] AS columns,
    (
        SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.at)
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u (attnum, at)
        INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
    ) AS names
FROM pg_catalog.pg_constraint AS k
INNER JOIN pg_catalog.pg_class AS t ON t.oid = k.conrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
LEFT JOIN pg_catalog.pg_constraint AS o ON o.oid = k.conparentid
WHERE k.contype = 'f' AND t.relpersistence <> 't' AND o.conrelid IS DISTINCT FROM k.conrelid
ORDER BY n.nspname, t.relname, k.conname

-- Which foreign keys point at a table, what happens to their rows when it loses some, and is there an index for that?
-- Server: 14.
-- Rights: none.
WITH RECURSIVE tree AS (
    SELECT $1::oid AS oid
    UNION ALL
    SELECT i.inhrelid
    FROM tree
    JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid
)
SELECT
    k.conname::text AS name,
    n.nspname::text AS schema,
    c.relname::text AS child,
    k.confdeltype::text AS on_delete,
    ARRAY(
        SELECT a.attname::text
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u (number, at)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.number
        ORDER BY u.at
    ) AS columns,
    ARRAY(
        SELECT a.attname::text
        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS u (number, at)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.number
        ORDER BY u.at
    ) AS referenced,
    EXISTS (
        SELECT 1
        FROM pg_catalog.pg_index AS x
        WHERE x.indrelid = k.conrelid
            AND x.indisvalid
            AND x.indpred IS NULL
            AND (x.indkey::int2[])[0:pg_catalog.cardinality(k.conkey) - 1] @> k.conkey
    ) AS indexed
FROM tree
JOIN pg_catalog.pg_constraint AS k ON k.confrelid = tree.oid AND k.contype = 'f' AND k.conparentid = 0
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY n.nspname, c.relname, k.conname

-- Which foreign keys have no index that begins with their columns, and how many rows has their table?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.format('%I.%I.%I', n.nspname, t.relname, k.conname) AS constraint,
    GREATEST(t.reltuples, 0)::int8 AS rows,
    pg_catalog.format(
        'CREATE INDEX CONCURRENTLY ON %I.%I (%s)', n.nspname, t.relname,
        (
            SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY u.at)
            FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u (attnum, at)
            INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
        )
    ) AS remedy
FROM pg_catalog.pg_constraint AS k
INNER JOIN pg_catalog.pg_class AS t ON t.oid = k.conrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
WHERE
    k.contype = 'f'
    AND t.relkind = 'r'
    AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_index AS i
        WHERE
            i.indrelid = k.conrelid
            AND i.indisvalid
            AND i.indpred IS NULL
            AND (i.indkey::int2[])[0:pg_catalog.cardinality(k.conkey) - 1] @> k.conkey
    )
ORDER BY t.reltuples DESC, 1
LIMIT 500

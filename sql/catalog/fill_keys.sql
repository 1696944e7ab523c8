-- Which foreign keys do the tables of users have?
-- Server: 14.
-- Rights: none.
SELECT
    k.conrelid::int8 AS relation,
    k.confrelid::int8 AS parent,
    ARRAY(
        SELECT a.attname::text
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u (attnum, position)
        INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
        ORDER BY u.position
    ) AS columns,
    ARRAY(
        SELECT a.attname::text
        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS u (attnum, position)
        INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.attnum
        ORDER BY u.position
    ) AS referenced,
    EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = k.conrelid AND i.indisunique AND k.conkey && i.indkey::int2[]
    ) AS in_unique
FROM pg_catalog.pg_constraint AS k
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid >= 16384
ORDER BY k.conrelid, pg_catalog.cardinality(k.conkey) DESC, k.oid

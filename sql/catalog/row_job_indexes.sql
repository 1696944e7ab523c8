-- Which indexes do the tables have that hold the rows of a table?
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
    x.indrelid::int8 AS relation,
    c.relname::text AS name,
    ARRAY(
        SELECT COALESCE(a.attname::text, '')
        FROM pg_catalog.unnest(x.indkey::int2[]) WITH ORDINALITY AS k (number, at)
        LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.number AND k.number > 0
        WHERE k.at <= x.indnkeyatts
        ORDER BY k.at
    ) AS columns,
    x.indisunique AS is_unique,
    m.amname = 'btree' AND x.indisvalid AND x.indpred IS NULL AS ordered
FROM tree
JOIN pg_catalog.pg_index AS x ON x.indrelid = tree.oid
JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid AND c.relkind = 'i'
JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
ORDER BY x.indrelid, c.relname

-- Which indexes have one of these names ($1) or belong to a table of one, and do they cover all rows?
-- Server: 14.
-- Rights: none.
SELECT
    n.nspname::text AS schema,
    c.relname::text AS name,
    i.relname::text AS index_name,
    x.indisvalid AS valid,
    x.indpred IS NULL AS whole,
    ARRAY(
        SELECT COALESCE(a.attname::text, '')
        FROM pg_catalog.unnest(x.indkey::int2[]) WITH ORDINALITY AS k (number, at)
        LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number AND k.number > 0
        WHERE k.at <= x.indnkeyatts
        ORDER BY k.at
    ) AS columns
FROM pg_catalog.pg_index AS x
INNER JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
INNER JOIN pg_catalog.pg_class AS c ON c.oid = x.indrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    (c.relname = ANY ($1) OR i.relname = ANY ($1))
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY n.nspname, c.relname, i.relname

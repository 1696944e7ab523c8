-- Which of these indexes (schema, name, oid before) have become new ones that queries can use?
-- Server: 14.
-- Rights: none.
SELECT x.oid AS before
FROM ROWS FROM (
    pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::oid[])
) AS x (schema, name, oid)
INNER JOIN pg_catalog.pg_namespace AS n ON n.nspname = x.schema
INNER JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = x.name
INNER JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
WHERE c.oid <> x.oid AND i.indisvalid AND i.indisready AND i.indislive
ORDER BY x.oid

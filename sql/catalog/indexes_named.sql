-- Which of these schemas and tables, written with or without their schema, are not there?
-- Server: 14.
-- Rights: none.
SELECT pg_catalog.format('schema %s', s.name) AS missing
FROM pg_catalog.unnest($1::text []) AS s (name)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = s.name)
UNION ALL
SELECT pg_catalog.format('table %s', t.name)
FROM pg_catalog.unnest($2::text []) AS t (name)
WHERE NOT EXISTS (
    SELECT
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND (c.relname = t.name OR n.nspname || '.' || c.relname = t.name)
)

-- Which of these names (schemas $1, names $2) are taken by a relation or a type?
-- Server: 14.
-- Rights: none.
SELECT
    w.schema,
    w.name
FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS w (schema, name)
INNER JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema
WHERE
    EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.relnamespace = n.oid AND c.relname = w.name)
    OR EXISTS (SELECT FROM pg_catalog.pg_type AS t WHERE t.typnamespace = n.oid AND t.typname = w.name)

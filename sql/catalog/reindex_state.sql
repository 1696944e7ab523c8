-- Which index bears this name now, and can queries use it?
-- Server: 14.
-- Rights: none.
SELECT
    i.indexrelid AS oid,
    i.indisvalid AND i.indisready AND i.indislive AS is_valid
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
WHERE
    c.relname = $2
    AND c.relnamespace = (SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname = $1)

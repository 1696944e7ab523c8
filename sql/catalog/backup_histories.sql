-- Which histories of refinery does this database keep?
-- Server: 14.
-- Rights: none.
SELECT
    n.nspname::TEXT AS schema,
    c.relname::TEXT AS name
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r'
  AND c.relname = 'refinery_schema_history'
  AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
ORDER BY n.nspname

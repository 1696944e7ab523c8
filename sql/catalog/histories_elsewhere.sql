-- In which schemas that the search_path does not lead to is there a history table of this name?
-- Server: 14.
-- Rights: none.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relname = $1
    AND c.relkind IN ('r', 'p', 'v')
    AND n.nspname !~ '^pg_temp_'
ORDER BY 1
LIMIT 10

-- What are these relations called, and the databases? Nothing is touched but the catalog.
-- Server: 14.
-- Rights: none.
SELECT
    'relation' AS kind,
    c.oid::int8 AS number,
    pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name,
    true AS here
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = ANY($1)
UNION ALL
SELECT 'database', d.oid::int8, d.datname::text, d.datname = pg_catalog.current_database()
FROM pg_catalog.pg_database AS d

-- Where does this history table live, and what does it look like? No row: there is none.
-- Server: 14.
-- Rights: none.
SELECT
    n.nspname::text AS schema,
    c.relname::text AS name,
    pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable,
    COALESCE(
        pg_catalog.array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL), '{}'::text[]
    ) AS columns,
    COALESCE(
        pg_catalog.array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
            FILTER (WHERE a.attname IS NOT NULL), '{}'::text[]
    ) AS types
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.oid = pg_catalog.to_regclass($1)
GROUP BY n.nspname, c.relname, c.oid

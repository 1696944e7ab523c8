-- Which collations were made with another version of their library than the one that is there?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.format('collation %I.%I', n.nspname, c.collname) AS object,
    c.collversion AS recorded,
    pg_catalog.pg_collation_actual_version(c.oid) AS actual,
    pg_catalog.format('ALTER COLLATION %I.%I REFRESH VERSION', n.nspname, c.collname) AS remedy
FROM pg_catalog.pg_collation AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
WHERE
    c.collversion IS NOT NULL
    AND c.collprovider <> 'd'
    AND c.collencoding IN (
        -1, (SELECT d.encoding FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
    )
    AND c.collversion <> pg_catalog.pg_collation_actual_version(c.oid)
ORDER BY 1
LIMIT 100

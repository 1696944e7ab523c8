-- What lies in pg_repack's schema and belongs neither to the extension nor to a table that is there?
-- Server: 14.
-- Rights: none.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
FROM pg_catalog.pg_extension AS e
INNER JOIN pg_catalog.pg_depend AS d ON d.refobjid = e.oid AND d.deptype = 'e'
    AND d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = d.objid
INNER JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relkind = 'r'
WHERE e.extname = 'pg_repack'
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_class AS t
        WHERE t.relkind = 'r' AND c.relname IN ('log_' || t.oid, 'table_' || t.oid)
            AND (
                EXISTS (SELECT FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = t.oid AND g.tgname = 'repack_trigger')
                OR EXISTS (
                    SELECT FROM pg_catalog.pg_attribute AS a
                    INNER JOIN pg_catalog.pg_class AS l ON l.oid = a.attrelid
                    WHERE l.relnamespace = n.oid AND l.relname = 'log_' || t.oid
                        AND a.attname = 'row' AND a.atttypid = t.reltype
                )
            )
    )
ORDER BY c.relname

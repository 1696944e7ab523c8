-- Which sequences are there that no extension makes again by itself?
-- Server: 14.
-- Rights: none.
SELECT
    n.nspname::TEXT AS schema,
    c.relname::TEXT AS name,
    pg_catalog.has_sequence_privilege(c.oid, 'SELECT') AS may_read
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend AS d
    ON d.classid = 'pg_catalog.pg_class'::REGCLASS
    AND d.objid = c.oid
    AND d.objsubid = 0
    AND d.refclassid = 'pg_catalog.pg_extension'::REGCLASS
    AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension AS x ON x.oid = d.refobjid
WHERE c.relkind = 'S'
  AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND (x.oid IS NULL OR c.oid = ANY (x.extconfig))
ORDER BY n.nspname, c.relname

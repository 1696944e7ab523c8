-- What lies in this schema, and what do its tables say of themselves? No row: there is no such schema.
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.obj_description(n.oid, 'pg_namespace') AS about,
    pg_catalog.pg_describe_object(d.classid, d.objid, 0) AS thing,
    c.relname::TEXT AS name,
    CASE WHEN c.relkind = 'r' THEN pg_catalog.obj_description(c.oid, 'pg_class') END AS comment
FROM pg_catalog.pg_namespace AS n
LEFT JOIN pg_catalog.pg_depend AS d ON d.refclassid = 'pg_catalog.pg_namespace'::REGCLASS AND d.refobjid = n.oid AND d.deptype = 'n'
LEFT JOIN pg_catalog.pg_class AS c ON d.classid = 'pg_catalog.pg_class'::REGCLASS AND c.oid = d.objid
WHERE n.nspname = $1::TEXT
ORDER BY 2

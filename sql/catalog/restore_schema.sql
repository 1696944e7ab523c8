-- What lies in this schema, and what do its tables and sequences say of themselves? No row: there is no such schema.
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.obj_description(n.oid, 'pg_namespace') AS about,
    pg_catalog.pg_describe_object(d.classid, d.objid, 0) AS thing,
    c.relname::TEXT AS name,
    COALESCE(c.relkind = 'S', FALSE) AS is_sequence,
    CASE WHEN c.relkind IN ('r', 'S') THEN pg_catalog.obj_description(c.oid, 'pg_class') END AS comment
FROM pg_catalog.pg_namespace AS n
LEFT JOIN pg_catalog.pg_depend AS d
    ON d.refclassid = 'pg_catalog.pg_namespace'::REGCLASS AND d.refobjid = n.oid AND d.deptype = 'n'
    -- A sequence that a table of this schema owns goes with it.
    AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_depend AS o
        INNER JOIN pg_catalog.pg_class AS s ON s.oid = o.objid AND s.relkind = 'S'
        INNER JOIN pg_catalog.pg_class AS t ON t.oid = o.refobjid AND t.relnamespace = n.oid
        WHERE d.classid = 'pg_catalog.pg_class'::REGCLASS
          AND o.classid = d.classid
          AND o.objid = d.objid
          AND o.refclassid = d.classid
          AND o.deptype IN ('a', 'i')
    )
LEFT JOIN pg_catalog.pg_class AS c ON d.classid = 'pg_catalog.pg_class'::REGCLASS AND c.oid = d.objid
WHERE n.nspname = $1::TEXT
ORDER BY 2

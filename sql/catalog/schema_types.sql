-- What types are there, other than those of tables and arrays?
-- Server: 14.
-- Rights: none.
SELECT
    CASE t.typtype
        WHEN 'e' THEN 'enum'
        WHEN 'd' THEN 'domain'
        WHEN 'c' THEN 'composite_type'
        WHEN 'r' THEN 'range_type'
        ELSE 'base_type'
    END AS kind,
    n.nspname AS in_schema,
    t.typname AS name,
    pg_catalog.pg_get_userbyid(t.typowner) AS owner,
    t.typacl::TEXT[] AS privileges,
    CASE WHEN t.typtype = 'e' THEN (
        SELECT pg_catalog.array_agg(l.enumlabel::TEXT ORDER BY l.enumsortorder)
        FROM pg_catalog.pg_enum AS l
        WHERE l.enumtypid = t.oid
    ) END AS labels,
    CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END AS base_type,
    CASE WHEN t.typtype = 'd' THEN NULLIF(t.typnotnull, FALSE) END AS not_null,
    CASE WHEN t.typtype = 'd' THEN pg_catalog.pg_get_expr(t.typdefaultbin, 0) END AS "default",
    CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation THEN t.typcollation::REGCOLLATION::TEXT END AS collation,
    CASE WHEN t.typtype = 'r' THEN pg_catalog.format_type(r.rngsubtype, NULL) END AS subtype,
    CASE WHEN t.typtype = 'r' THEN pg_catalog.format_type(r.rngmultitypid, NULL) END AS multirange,
    o.opcname AS operator_class,
    CASE
        WHEN t.typtype = 'r' THEN NULLIF(pg_catalog.concat_ws(', ',
            'canonical ' || NULLIF(r.rngcanonical::TEXT, '-'),
            'subtype_diff ' || NULLIF(r.rngsubdiff::TEXT, '-'),
            'collation ' || CASE WHEN r.rngcollation <> 0 AND r.rngcollation <> u.typcollation THEN r.rngcollation::REGCOLLATION::TEXT END), '')
        WHEN t.typtype = 'b' THEN pg_catalog.concat_ws(', ',
            'input ' || t.typinput, 'output ' || t.typoutput,
            'receive ' || NULLIF(t.typreceive::TEXT, '-'), 'send ' || NULLIF(t.typsend::TEXT, '-'),
            'length ' || t.typlen, 'by value ' || t.typbyval, 'alignment ' || t.typalign::TEXT, 'storage ' || t.typstorage::TEXT,
            'category ' || t.typcategory::TEXT, 'preferred ' || NULLIF(t.typispreferred, FALSE), 'delimiter ' || t.typdelim::TEXT,
            'default ' || t.typdefault)
    END AS definition,
    d.description AS comment
FROM pg_catalog.pg_type AS t
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
LEFT JOIN pg_catalog.pg_type AS b ON b.oid = t.typbasetype
LEFT JOIN pg_catalog.pg_range AS r ON r.rngtypid = t.oid
LEFT JOIN pg_catalog.pg_type AS u ON u.oid = r.rngsubtype
LEFT JOIN pg_catalog.pg_opclass AS o ON o.oid = r.rngsubopc
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = t.oid AND d.classoid = 'pg_catalog.pg_type'::REGCLASS AND d.objsubid = 0
WHERE (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c' OR t.typtype = 'b' AND t.typcategory <> 'A' AND t.typisdefined)
  AND n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_type'::REGCLASS
        AND e.objid = t.oid
        AND e.deptype = 'e'
  )

-- What sequences are there, other than those of identity columns?
-- Server: 14.
-- Rights: none.
SELECT
    'sequence' AS kind,
    n.nspname AS in_schema,
    c.relname AS name,
    pg_catalog.pg_get_userbyid(c.relowner) AS owner,
    c.relacl::TEXT[] AS privileges,
    CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END AS persistence,
    pg_catalog.format_type(s.seqtypid, NULL) AS type,
    s.seqstart AS start,
    s.seqincrement AS increment,
    s.seqmin AS min_value,
    s.seqmax AS max_value,
    s.seqcache AS cache,
    NULLIF(s.seqcycle, FALSE) AS cycle,
    (
        SELECT pg_catalog.format('%s.%s', o.refobjid::REGCLASS, pg_catalog.quote_ident(a.attname))
        FROM pg_catalog.pg_depend AS o
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
        WHERE o.classid = 'pg_catalog.pg_class'::REGCLASS
          AND o.objid = c.oid
          AND o.refclassid = 'pg_catalog.pg_class'::REGCLASS
          AND o.deptype = 'a'
    ) AS owned_by,
    d.description AS comment
FROM pg_catalog.pg_sequence AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::REGCLASS AND d.objsubid = 0
WHERE n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_class'::REGCLASS
        AND e.objid = c.oid
        AND e.deptype IN ('e', 'i')
  )

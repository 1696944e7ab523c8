-- What casts and transforms has somebody added?
-- Server: 14.
-- Rights: none.
SELECT
    'cast' AS kind,
    pg_catalog.format('%s as %s', pg_catalog.format_type(c.castsource, NULL), pg_catalog.format_type(c.casttarget, NULL)) AS signature,
    CASE WHEN c.castfunc <> 0 THEN c.castfunc::REGPROCEDURE::TEXT END AS function,
    CASE c.castcontext WHEN 'e' THEN 'explicit' WHEN 'a' THEN 'assignment' WHEN 'i' THEN 'implicit' END AS context,
    CASE c.castmethod WHEN 'f' THEN 'function' WHEN 'i' THEN 'inout' WHEN 'b' THEN 'binary' END AS method,
    NULL::TEXT AS definition,
    pg_catalog.obj_description(c.oid, 'pg_cast') AS comment
FROM pg_catalog.pg_cast AS c
WHERE c.oid >= 16384
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_cast'::REGCLASS
        AND e.objid = c.oid
        AND e.deptype IN ('e', 'i')
  )
UNION ALL
SELECT
    'transform',
    pg_catalog.format('for %s language %s', pg_catalog.format_type(t.trftype, NULL), l.lanname),
    NULL,
    NULL,
    NULL,
    pg_catalog.format('from sql %s, to sql %s', t.trffromsql::REGPROCEDURE, t.trftosql::REGPROCEDURE),
    pg_catalog.obj_description(t.oid, 'pg_transform')
FROM pg_catalog.pg_transform AS t
JOIN pg_catalog.pg_language AS l ON l.oid = t.trflang
WHERE NOT EXISTS (
    SELECT
    FROM pg_catalog.pg_depend AS e
    WHERE e.classid = 'pg_catalog.pg_transform'::REGCLASS
      AND e.objid = t.oid
      AND e.deptype = 'e'
)

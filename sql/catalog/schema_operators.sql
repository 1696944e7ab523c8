-- What operators, operator families and operator classes are there?
-- Server: 14.
-- Rights: none.
SELECT
    'operator' AS kind,
    n.nspname AS in_schema,
    o.oprname AS name,
    pg_catalog.format('(%s, %s)', COALESCE(pg_catalog.format_type(NULLIF(o.oprleft, 0), NULL), 'none'),
                      pg_catalog.format_type(o.oprright, NULL)) AS signature,
    pg_catalog.pg_get_userbyid(o.oprowner) AS owner,
    o.oprcode::TEXT AS function,
    CASE WHEN o.oprcom <> 0 THEN o.oprcom::REGOPERATOR::TEXT END AS commutator,
    CASE WHEN o.oprnegate <> 0 THEN o.oprnegate::REGOPERATOR::TEXT END AS negator,
    NULLIF(pg_catalog.concat_ws(', ', 'restrict ' || NULLIF(o.oprrest::TEXT, '-'), 'join ' || NULLIF(o.oprjoin::TEXT, '-'),
                                CASE WHEN o.oprcanhash THEN 'hashes' END, CASE WHEN o.oprcanmerge THEN 'merges' END), '') AS definition,
    NULL::TEXT AS method,
    NULL::TEXT[] AS members,
    pg_catalog.obj_description(o.oid, 'pg_operator') AS comment
FROM pg_catalog.pg_operator AS o
JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
WHERE o.oprcode <> 0
  AND n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_operator'::REGCLASS
        AND e.objid = o.oid
        AND e.deptype = 'e'
  )
UNION ALL
SELECT
    'operator_family',
    n.nspname,
    f.opfname,
    ' using ' || m.amname,
    pg_catalog.pg_get_userbyid(f.opfowner),
    NULL,
    NULL,
    NULL,
    NULL,
    m.amname,
    (
        SELECT pg_catalog.array_agg(l.line ORDER BY l.line)
        FROM (
            SELECT pg_catalog.format('operator %s %s%s', a.amopstrategy, a.amopopr::REGOPERATOR,
                                     CASE WHEN a.amopsortfamily <> 0 THEN ' for order by' END) AS line
            FROM pg_catalog.pg_amop AS a
            WHERE a.amopfamily = f.oid
            UNION ALL
            SELECT pg_catalog.format('function %s (%s, %s) %s', a.amprocnum, pg_catalog.format_type(a.amproclefttype, NULL),
                                     pg_catalog.format_type(a.amprocrighttype, NULL), a.amproc::REGPROCEDURE)
            FROM pg_catalog.pg_amproc AS a
            WHERE a.amprocfamily = f.oid
        ) AS l
    ),
    pg_catalog.obj_description(f.oid, 'pg_opfamily')
FROM pg_catalog.pg_opfamily AS f
JOIN pg_catalog.pg_namespace AS n ON n.oid = f.opfnamespace
JOIN pg_catalog.pg_am AS m ON m.oid = f.opfmethod
WHERE n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_opfamily'::REGCLASS
        AND e.objid = f.oid
        AND e.deptype = 'e'
  )
UNION ALL
SELECT
    'operator_class',
    n.nspname,
    c.opcname,
    ' using ' || m.amname,
    pg_catalog.pg_get_userbyid(c.opcowner),
    NULL,
    NULL,
    NULL,
    pg_catalog.format('for type %s, family %I.%I%s%s', pg_catalog.format_type(c.opcintype, NULL), fn.nspname, f.opfname,
                      CASE WHEN c.opcdefault THEN ', default' END,
                      CASE WHEN c.opckeytype <> 0 THEN ', storage ' || pg_catalog.format_type(c.opckeytype, NULL) END),
    m.amname,
    NULL,
    pg_catalog.obj_description(c.oid, 'pg_opclass')
FROM pg_catalog.pg_opclass AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.opcnamespace
JOIN pg_catalog.pg_am AS m ON m.oid = c.opcmethod
JOIN pg_catalog.pg_opfamily AS f ON f.oid = c.opcfamily
JOIN pg_catalog.pg_namespace AS fn ON fn.oid = f.opfnamespace
WHERE n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_opclass'::REGCLASS
        AND e.objid = c.oid
        AND e.deptype = 'e'
  )

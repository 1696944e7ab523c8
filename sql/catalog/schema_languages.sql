-- What procedural languages and access methods has somebody added, and who may use a language?
-- Server: 14.
-- Rights: none.
SELECT
    'language' AS kind,
    l.lanname AS name,
    CASE WHEN l.oid >= 16384 THEN pg_catalog.pg_get_userbyid(l.lanowner) END AS owner,
    l.lanacl::TEXT[] AS privileges,
    NULLIF(l.lanpltrusted, FALSE) AS trusted,
    NULLIF(l.lanplcallfoid::REGPROC::TEXT, '-') AS handler,
    NULLIF(l.laninline::REGPROC::TEXT, '-') AS inline,
    NULLIF(l.lanvalidator::REGPROC::TEXT, '-') AS validator,
    pg_catalog.obj_description(l.oid, 'pg_language') AS comment
FROM pg_catalog.pg_language AS l
WHERE l.lanispl
  AND (
      l.lanacl IS NOT NULL
      OR NOT EXISTS (
          SELECT
          FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_language'::REGCLASS
            AND e.objid = l.oid
            AND e.deptype = 'e'
      )
  )
UNION ALL
SELECT
    'access_method',
    m.amname,
    NULL,
    NULL,
    NULL,
    m.amhandler::TEXT,
    NULL,
    NULL,
    pg_catalog.obj_description(m.oid, 'pg_am')
FROM pg_catalog.pg_am AS m
WHERE m.oid >= 16384
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_am'::REGCLASS
        AND e.objid = m.oid
        AND e.deptype = 'e'
  )

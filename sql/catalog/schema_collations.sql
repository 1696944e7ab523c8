-- What collations and conversions are there?
-- Server: 14.
-- Rights: none.
SELECT
    'collation' AS kind,
    n.nspname AS in_schema,
    c.collname AS name,
    pg_catalog.pg_get_userbyid(c.collowner) AS owner,
    CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' WHEN 'c' THEN 'libc' END AS provider,
    pg_catalog.concat_ws(', ', NULLIF(c.collcollate, ''), NULLIF(NULLIF(c.collctype, ''), c.collcollate),
                         COALESCE(pg_catalog.to_jsonb(c) ->> 'colliculocale', pg_catalog.to_jsonb(c) ->> 'colllocale')) AS locale,
    NULLIF(c.collisdeterministic, TRUE) AS deterministic,
    pg_catalog.to_jsonb(c) ->> 'collicurules' AS definition,
    pg_catalog.obj_description(c.oid, 'pg_collation') AS comment
FROM pg_catalog.pg_collation AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
WHERE n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_collation'::REGCLASS
        AND e.objid = c.oid
        AND e.deptype = 'e'
  )
UNION ALL
SELECT
    'conversion',
    n.nspname,
    c.conname,
    pg_catalog.pg_get_userbyid(c.conowner),
    NULL,
    NULL,
    NULL,
    pg_catalog.format('%s to %s by %s%s', pg_catalog.pg_encoding_to_char(c.conforencoding),
                      pg_catalog.pg_encoding_to_char(c.contoencoding), c.conproc, CASE WHEN c.condefault THEN ', default' END),
    pg_catalog.obj_description(c.oid, 'pg_conversion')
FROM pg_catalog.pg_conversion AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.connamespace
WHERE n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_conversion'::REGCLASS
        AND e.objid = c.oid
        AND e.deptype = 'e'
  )

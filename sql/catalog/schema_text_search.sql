-- What parsers, templates, dictionaries and configurations of text search are there?
-- Server: 14.
-- Rights: none.
SELECT
    'text_search_configuration' AS kind,
    n.nspname AS in_schema,
    c.cfgname AS name,
    pg_catalog.pg_get_userbyid(c.cfgowner) AS owner,
    pg_catalog.format('%I.%I', pn.nspname, p.prsname) AS parser,
    NULL::TEXT AS template,
    NULL::TEXT AS definition,
    (
        SELECT pg_catalog.array_agg(l.line ORDER BY l.line)
        FROM (
            SELECT k.alias || ': ' || pg_catalog.string_agg(m.mapdict::REGDICTIONARY::TEXT, ', ' ORDER BY m.mapseqno) AS line
            FROM pg_catalog.pg_ts_config_map AS m
            JOIN pg_catalog.ts_token_type(c.cfgparser) AS k ON k.tokid = m.maptokentype
            WHERE m.mapcfg = c.oid
            GROUP BY k.alias
        ) AS l
    ) AS mappings,
    pg_catalog.obj_description(c.oid, 'pg_ts_config') AS comment
FROM pg_catalog.pg_ts_config AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.cfgnamespace
JOIN pg_catalog.pg_ts_parser AS p ON p.oid = c.cfgparser
JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.prsnamespace
WHERE n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_ts_config'::REGCLASS
        AND e.objid = c.oid
        AND e.deptype = 'e'
  )
UNION ALL
SELECT
    'text_search_dictionary',
    n.nspname,
    d.dictname,
    pg_catalog.pg_get_userbyid(d.dictowner),
    NULL,
    pg_catalog.format('%I.%I', tn.nspname, t.tmplname),
    d.dictinitoption,
    NULL,
    pg_catalog.obj_description(d.oid, 'pg_ts_dict')
FROM pg_catalog.pg_ts_dict AS d
JOIN pg_catalog.pg_namespace AS n ON n.oid = d.dictnamespace
JOIN pg_catalog.pg_ts_template AS t ON t.oid = d.dicttemplate
JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.tmplnamespace
WHERE n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_ts_dict'::REGCLASS
        AND e.objid = d.oid
        AND e.deptype = 'e'
  )
UNION ALL
SELECT
    'text_search_parser',
    n.nspname,
    p.prsname,
    NULL,
    NULL,
    NULL,
    pg_catalog.format('start %s, token %s, end %s, headline %s, lextypes %s', p.prsstart, p.prstoken, p.prsend, p.prsheadline, p.prslextype),
    NULL,
    pg_catalog.obj_description(p.oid, 'pg_ts_parser')
FROM pg_catalog.pg_ts_parser AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.prsnamespace
WHERE n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_ts_parser'::REGCLASS
        AND e.objid = p.oid
        AND e.deptype = 'e'
  )
UNION ALL
SELECT
    'text_search_template',
    n.nspname,
    t.tmplname,
    NULL,
    NULL,
    NULL,
    pg_catalog.format('init %s, lexize %s', t.tmplinit, t.tmpllexize),
    NULL,
    pg_catalog.obj_description(t.oid, 'pg_ts_template')
FROM pg_catalog.pg_ts_template AS t
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.tmplnamespace
WHERE n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_ts_template'::REGCLASS
        AND e.objid = t.oid
        AND e.deptype = 'e'
  )

-- What extended statistics are there?
-- Server: 14.
-- Rights: none.
SELECT
    'statistics' AS kind,
    n.nspname AS in_schema,
    s.stxname AS name,
    pg_catalog.pg_get_userbyid(s.stxowner) AS owner,
    pg_catalog.pg_get_statisticsobjdef(s.oid) AS definition,
    CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget::INT8 END AS statistics_target,
    d.description AS comment
FROM pg_catalog.pg_statistic_ext AS s
JOIN pg_catalog.pg_namespace AS n ON n.oid = s.stxnamespace
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = s.oid AND d.classoid = 'pg_catalog.pg_statistic_ext'::REGCLASS AND d.objsubid = 0
WHERE n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_statistic_ext'::REGCLASS
        AND e.objid = s.oid
        AND e.deptype = 'e'
  )

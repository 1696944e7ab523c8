-- What rules do tables and views have, other than a view's own query?
-- Server: 14.
-- Rights: none.
SELECT
    CASE c.relkind WHEN 'f' THEN 'foreign_table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view' ELSE 'table' END AS of_kind,
    n.nspname AS of_schema,
    c.relname AS of_name,
    'rule' AS kind,
    r.rulename AS name,
    pg_catalog.pg_get_ruledef(r.oid) AS definition,
    CASE r.ev_enabled WHEN 'D' THEN 'no' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END AS enabled,
    d.description AS comment
FROM pg_catalog.pg_rewrite AS r
JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = r.oid AND d.classoid = 'pg_catalog.pg_rewrite'::REGCLASS AND d.objsubid = 0
WHERE r.rulename <> '_RETURN'
  AND n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_class'::REGCLASS
        AND e.objid = c.oid
        AND e.deptype = 'e'
  )

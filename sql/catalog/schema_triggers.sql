-- What triggers do tables and views have, other than those that a partition got from its table unchanged?
-- Server: 14.
-- Rights: none.
SELECT
    CASE c.relkind WHEN 'f' THEN 'foreign_table' WHEN 'v' THEN 'view' ELSE 'table' END AS of_kind,
    n.nspname AS of_schema,
    c.relname AS of_name,
    CASE WHEN t.tgconstraint <> 0 THEN 'constraint_trigger' ELSE 'trigger' END AS kind,
    t.tgname AS name,
    CASE WHEN p.oid IS NULL THEN pg_catalog.pg_get_triggerdef(t.oid) END AS definition,
    CASE t.tgenabled WHEN 'D' THEN 'no' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END AS enabled,
    d.description AS comment
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_trigger AS p ON p.oid = t.tgparentid
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = t.oid AND d.classoid = 'pg_catalog.pg_trigger'::REGCLASS AND d.objsubid = 0
-- Before 15 what a partition got from its table is marked as internal.
WHERE NOT COALESCE(p.tgisinternal, t.tgisinternal)
  AND (p.oid IS NULL OR p.tgenabled <> t.tgenabled)
  AND n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_class'::REGCLASS
        AND e.objid = c.oid
        AND e.deptype = 'e'
  )

-- What policies of row level security do tables have?
-- Server: 14.
-- Rights: none.
SELECT
    'table' AS of_kind,
    n.nspname AS of_schema,
    c.relname AS of_name,
    'policy' AS kind,
    p.polname AS name,
    CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS commands,
    NULLIF(p.polpermissive, TRUE) AS permissive,
    (
        SELECT pg_catalog.array_agg(CASE WHEN r.oid = 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(r.oid)::TEXT END)
        FROM pg_catalog.unnest(p.polroles) AS r (oid)
    ) AS roles,
    pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS "using",
    pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS with_check,
    d.description AS comment
FROM pg_catalog.pg_policy AS p
JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = p.oid AND d.classoid = 'pg_catalog.pg_policy'::REGCLASS AND d.objsubid = 0
WHERE n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_class'::REGCLASS
        AND e.objid = c.oid
        AND e.deptype = 'e'
  )

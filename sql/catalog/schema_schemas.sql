-- What schemas are there, and whose are they?
-- Server: 14.
-- Rights: none.
SELECT
    'schema' AS kind,
    n.nspname AS name,
    -- Before 15 initdb gave schema public to the bootstrap superuser.
    CASE WHEN n.nspname = 'public' AND o.oid = 10 THEN 'pg_database_owner' ELSE o.rolname END AS owner,
    n.nspacl::TEXT[] AS privileges,
    CASE WHEN n.nspname <> 'public' OR d.description <> 'standard public schema' THEN d.description END AS comment
FROM pg_catalog.pg_namespace AS n
JOIN pg_catalog.pg_roles AS o ON o.oid = n.nspowner
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = n.oid AND d.classoid = 'pg_catalog.pg_namespace'::REGCLASS AND d.objsubid = 0
WHERE n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_namespace'::REGCLASS
        AND e.objid = n.oid
        AND e.deptype = 'e'
  )

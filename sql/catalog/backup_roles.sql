-- Which roles do owners, grants, policies and settings of this database name?
-- Server: 14.
-- Rights: none.
SELECT DISTINCT r.rolname::TEXT AS name
FROM (
    SELECT s.refobjid
    FROM pg_catalog.pg_shdepend AS s
    WHERE s.refclassid = 'pg_catalog.pg_authid'::REGCLASS
      AND s.dbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
    UNION
    SELECT d.datdba
    FROM pg_catalog.pg_database AS d
    WHERE d.datname = pg_catalog.current_database()
    UNION
    SELECT (pg_catalog.aclexplode(d.datacl)).grantee
    FROM pg_catalog.pg_database AS d
    WHERE d.datname = pg_catalog.current_database()
    UNION
    SELECT s.setrole
    FROM pg_catalog.pg_db_role_setting AS s
    INNER JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
    WHERE d.datname = pg_catalog.current_database()
    -- The role that made the cluster owns without a dependency.
    UNION
    SELECT c.relowner
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    UNION
    SELECT p.proowner
    FROM pg_catalog.pg_proc AS p
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
    UNION
    SELECT n.nspowner
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname NOT LIKE 'pg\_%'
      AND n.nspname NOT IN ('information_schema', 'public')
) AS named (role)
INNER JOIN pg_catalog.pg_roles AS r ON r.oid = named.role
WHERE r.rolname NOT LIKE 'pg\_%'
ORDER BY 1

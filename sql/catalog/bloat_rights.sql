-- May this role read all statistics of columns, and what else does a look at bloat depend on?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.current_database()::text AS database,
    pg_catalog.pg_is_in_recovery() AS is_standby,
    pg_catalog.has_table_privilege('pg_catalog.pg_statistic', 'SELECT') AS sees_all,
    (
        SELECT n.nspname::text
        FROM pg_catalog.pg_extension AS e
        INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
        WHERE e.extname = 'pgstattuple'
    ) AS extension_schema

-- May this role read all statistics of columns, and what else does a look at bloat depend on?
-- Server: 14.
-- Rights: none.
-- A B-tree folds equal keys into one where the operator class of each says that equal values look alike, and its
-- collation does not say otherwise.
SELECT
    pg_catalog.current_database()::text AS database,
    pg_catalog.pg_is_in_recovery() AS is_standby,
    ARRAY(
        SELECT c.oid
        FROM pg_catalog.pg_opclass AS c
        INNER JOIN pg_catalog.pg_amproc AS f
            ON f.amprocfamily = c.opcfamily AND f.amproclefttype = c.opcintype AND f.amprocrighttype = c.opcintype
        WHERE f.amprocnum = 4 AND c.opcmethod = 403
    ) AS alike,
    ARRAY(SELECT s.oid FROM pg_catalog.pg_collation AS s WHERE NOT s.collisdeterministic) AS unlike,
    pg_catalog.has_table_privilege('pg_catalog.pg_statistic', 'SELECT') AS sees_all,
    pg_catalog.has_function_privilege('pg_catalog.pg_stat_file(text,boolean)', 'EXECUTE') AS sees_files,
    (
        SELECT n.nspname::text
        FROM pg_catalog.pg_extension AS e
        INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
        WHERE e.extname = 'pgstattuple'
    ) AS extension_schema

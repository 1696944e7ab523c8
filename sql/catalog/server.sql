-- Which server is this, who are we, and where would unqualified names go?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.current_setting('server_version_num')::int AS version_num,
    pg_catalog.current_setting('server_version') AS version,
    pg_catalog.pg_is_in_recovery() AS in_recovery,
    current_user::text AS role,
    pg_catalog.current_database()::text AS database,
    pg_catalog.current_setting('search_path') AS search_path,
    pg_catalog.current_schema()::text AS current_schema,
    pg_catalog.pg_backend_pid() AS backend_pid,
    pg_catalog.current_setting('default_transaction_read_only') = 'on' AS read_only,
    -- Since 14 on Linux, since 15 wherever the operating system reports closed sockets: not on Windows.
    pg_catalog.version() ~ CASE
        WHEN pg_catalog.current_setting('server_version_num')::int < 140000 THEN '^$'
        WHEN pg_catalog.current_setting('server_version_num')::int < 150000 THEN 'linux'
        ELSE 'linux|darwin|apple|bsd'
    END AS watches_clients,
    s.migration IS NOT NULL AS has_state,
    COALESCE(
        pg_catalog.has_schema_privilege(s.schema, 'USAGE') AND pg_catalog.has_table_privilege(s.migration, 'SELECT'), false
    ) AS reads_state
FROM (
    SELECT
        (SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'dbctl') AS schema,
        -- Null unless all of its tables are there.
        (
            SELECT pg_catalog.max(c.oid::int8) FILTER (WHERE c.relname = 'migration')::oid
            FROM pg_catalog.pg_class AS c
            INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = 'dbctl'
                AND c.relname IN (
                    'run', 'journal', 'migration', 'partition_policy', 'partition', 'hold', 'row_job', 'adoption'
                )
            HAVING pg_catalog.count(*) = 8
        ) AS migration
) AS s

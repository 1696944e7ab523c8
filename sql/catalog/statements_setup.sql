-- Is pg_stat_statements there: its version, its schema, the columns that its view really has, its settings?
-- Server: 14.
-- Rights: none; pg_monitor to see shared_preload_libraries.
SELECT
    pg_catalog.current_database()::text AS database,
    (SELECT d.oid::int8 FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()) AS dbid,
    CURRENT_USER::text AS role,
    pg_catalog.pg_is_in_recovery() AS standby,
    pg_catalog.current_setting('server_version_num')::int8 AS server,
    pg_catalog.current_setting('block_size')::float8 AS block_size,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())::float8 AS now,
    e.extversion AS version,
    n.nspname::text AS schema,
    ARRAY(
        SELECT a.attname::text
        FROM pg_catalog.pg_attribute AS a
        INNER JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
        WHERE c.relname = 'pg_stat_statements' AND c.relnamespace = n.oid AND a.attnum > 0 AND NOT a.attisdropped
    ) AS columns,
    EXISTS (
        SELECT FROM pg_catalog.pg_class AS c WHERE c.relname = 'pg_stat_statements_info' AND c.relnamespace = n.oid
    ) AS info,
    COALESCE(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS may_use,
    (
        SELECT pg_catalog.jsonb_object_agg(s.name, CASE WHEN s.pending_restart THEN 'pending' ELSE s.setting END)::text
        FROM pg_catalog.pg_settings AS s
        WHERE s.name IN (
            'shared_preload_libraries', 'compute_query_id', 'track_io_timing', 'port', 'pg_stat_statements.max',
            'pg_stat_statements.track', 'pg_stat_statements.track_planning'
        )
    ) AS settings
FROM (SELECT) AS one
LEFT JOIN pg_catalog.pg_extension AS e ON e.extname = 'pg_stat_statements'
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace

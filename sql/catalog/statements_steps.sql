-- Are the files of pg_stat_statements installed, and which libraries does the server load at its start?
-- Server: 14.
-- Rights: none; pg_monitor to see shared_preload_libraries.
SELECT
    EXISTS (SELECT FROM pg_catalog.pg_available_extensions AS a WHERE a.name = 'pg_stat_statements') AS installed,
    (
        SELECT s.setting FROM pg_catalog.pg_settings AS s WHERE s.name = 'shared_preload_libraries'
    ) AS preloaded,
    (
        SELECT s.pending_restart FROM pg_catalog.pg_settings AS s WHERE s.name = 'shared_preload_libraries'
    ) AS pending

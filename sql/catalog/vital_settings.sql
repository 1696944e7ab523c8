-- Where is the data, and which settings wait for a restart?
-- Server: 14.
-- Rights: pg_monitor to see the data directory.
-- Each look at the settings makes a row of every one of them.
SELECT
    pg_catalog.max(g.setting) FILTER (WHERE g.name = 'data_directory') AS data_directory,
    COALESCE(pg_catalog.array_agg(g.name ORDER BY g.name) FILTER (WHERE g.pending_restart), '{}') AS pending_restart
FROM pg_catalog.pg_settings AS g
WHERE g.name = 'data_directory' OR g.pending_restart

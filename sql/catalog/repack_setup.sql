-- What is there to write tables anew with, and what on this server is in the way of it?
-- Server: 14.
-- Rights: pg_read_all_settings to see where the data lies.
SELECT
    pg_catalog.current_setting('server_version_num')::int4 AS version_num,
    pg_catalog.current_setting('wal_level') AS wal_level,
    pg_catalog.current_setting('max_repack_replication_slots', TRUE) AS repack_slots,
    pg_catalog.current_setting('is_superuser') = 'on' AS is_superuser,
    CASE
        WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE') THEN pg_catalog.current_setting('data_directory')
    END AS data_directory,
    e.extversion AS extension,
    (SELECT v.default_version FROM pg_catalog.pg_available_extensions AS v WHERE v.name = 'pg_repack') AS available,
    ARRAY(
        SELECT t.evtname::text FROM pg_catalog.pg_event_trigger AS t WHERE t.evtenabled <> 'D' ORDER BY t.evtname
    ) AS event_triggers,
    ARRAY(
        SELECT pg_catalog.format(
            '%s (it keeps %s of WAL)',
            s.slot_name,
            pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn))
        )
        FROM pg_catalog.pg_replication_slots AS s
        WHERE NOT s.active AND s.restart_lsn IS NOT NULL AND NOT pg_catalog.pg_is_in_recovery()
        ORDER BY s.slot_name
    ) AS idle_slots
FROM (SELECT) AS one
LEFT JOIN pg_catalog.pg_extension AS e ON e.extname = 'pg_repack'

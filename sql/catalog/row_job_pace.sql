-- What time is it, how much WAL is kept for slots, how long has the oldest transaction been open?
-- Server: 14.
-- Rights: pg_monitor to see transactions of others.
SELECT
    pg_catalog.clock_timestamp() AS clock,
    (w.lsn - '0/0'::pg_catalog.pg_lsn)::int8 AS lsn,
    (SELECT pg_catalog.max(w.lsn - s.restart_lsn)::int8 FROM pg_catalog.pg_replication_slots AS s) AS slot_wal,
    (
        SELECT pg_catalog.count(*)
        FROM pg_catalog.pg_replication_slots AS s
        WHERE s.slot_type = 'physical' AND NOT s.active AND s.restart_lsn IS NOT NULL
    ) AS lost_standbys,
    (
        SELECT pg_catalog.max(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.xact_start))::float8
        FROM pg_catalog.pg_stat_activity AS a
        WHERE a.datname = pg_catalog.current_database() AND a.backend_xmin IS NOT NULL
    ) AS oldest_transaction
FROM (
    SELECT CASE
        WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
        ELSE pg_catalog.pg_current_wal_lsn()
    END AS lsn
) AS w

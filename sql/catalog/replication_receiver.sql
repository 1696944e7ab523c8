-- How does this standby receive and replay?
-- Server: 14.
-- Rights: pg_monitor to see how it receives and from whom; others see only that it does.
SELECT
    COALESCE(r.status, CASE WHEN r.pid IS NULL THEN 'not receiving' END) AS status,
    r.sender_host AS sender,
    r.sender_port::int8 AS port,
    r.slot_name AS slot,
    pg_catalog.pg_last_wal_receive_lsn()::text AS received,
    pg_catalog.pg_last_wal_replay_lsn()::text AS replayed,
    pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())::int8 AS replay_bytes,
    -- One that has replayed all is not behind, however long ago the last transaction was.
    CASE
        WHEN pg_catalog.pg_last_wal_receive_lsn() > pg_catalog.pg_last_wal_replay_lsn()
            THEN pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())::float8
    END AS replay_seconds,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - r.last_msg_receipt_time)::float8 AS message_seconds,
    pg_catalog.pg_get_wal_replay_pause_state() AS pause
FROM (SELECT) AS one
LEFT JOIN pg_catalog.pg_stat_wal_receiver AS r ON TRUE
WHERE pg_catalog.pg_is_in_recovery()

-- Who streams from this server, and how far behind is it?
-- Server: 14.
-- Rights: pg_monitor to see more than that somebody does.
SELECT
    r.pid::int8 AS pid,
    COALESCE(NULLIF(r.application_name, ''), 'process ' || r.pid::text) AS name,
    COALESCE(r.client_hostname, pg_catalog.host(r.client_addr)) AS client,
    r.usename::text AS role,
    r.state,
    r.sync_state,
    pg_catalog.pg_wal_lsn_diff(h.lsn, r.sent_lsn)::int8 AS sent_bytes,
    pg_catalog.pg_wal_lsn_diff(h.lsn, r.write_lsn)::int8 AS write_bytes,
    pg_catalog.pg_wal_lsn_diff(h.lsn, r.flush_lsn)::int8 AS flush_bytes,
    pg_catalog.pg_wal_lsn_diff(h.lsn, r.replay_lsn)::int8 AS replay_bytes,
    -- A standby that has caught up keeps the delay of its last write for a while: it is none.
    CASE WHEN r.write_lsn < h.lsn THEN pg_catalog.date_part('epoch', r.write_lag)::float8 END AS write_seconds,
    CASE WHEN r.flush_lsn < h.lsn THEN pg_catalog.date_part('epoch', r.flush_lag)::float8 END AS flush_seconds,
    CASE WHEN r.replay_lsn < h.lsn THEN pg_catalog.date_part('epoch', r.replay_lag)::float8 END AS replay_seconds
FROM pg_catalog.pg_stat_replication AS r
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_receive_lsn() ELSE pg_catalog.pg_current_wal_lsn()
        END AS lsn
) AS h
ORDER BY 2, r.pid

-- Which logical subscriptions of this database are there, and do they receive?
-- Server: 14.
-- Rights: none.
SELECT
    s.subname::text AS name,
    s.subenabled AS enabled,
    w.pid::int8 AS pid,
    w.received_lsn::text AS received,
    pg_catalog.pg_wal_lsn_diff(w.latest_end_lsn, w.received_lsn)::int8 AS behind_bytes,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - w.last_msg_receipt_time)::float8 AS message_seconds,
    (
        SELECT pg_catalog.count(*)
        FROM pg_catalog.pg_subscription_rel AS r
        WHERE r.srsubid = s.oid AND r.srsubstate <> 'r'
    ) AS tables_not_ready
FROM pg_catalog.pg_subscription AS s
LEFT JOIN pg_catalog.pg_stat_subscription AS w
    ON w.subid = s.oid AND w.relid IS NULL AND (pg_catalog.to_jsonb(w) ->> 'leader_pid') IS NULL
WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
ORDER BY s.subname

-- Which replication slots are there, and how much WAL do they keep?
-- Server: 14.
-- Rights: none.
SELECT
    s.slot_name::text AS name,
    s.slot_type AS kind,
    s.database::text AS database,
    s.active,
    s.temporary,
    s.wal_status,
    pg_catalog.pg_wal_lsn_diff(
        CASE
            WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn()
        END, s.restart_lsn
    )::int8 AS retained_bytes,
    s.safe_wal_size AS safe_bytes,
    (
        SELECT NULLIF(g.setting, '-1')::int8 * 1048576
        FROM pg_catalog.pg_settings AS g
        WHERE g.name = 'max_slot_wal_keep_size'
    ) AS limit_bytes,
    -- What newer servers say besides.
    pg_catalog.date_part(
        'epoch', pg_catalog.now() - (pg_catalog.to_jsonb(s) ->> 'inactive_since')::timestamptz
    )::float8 AS inactive_seconds,
    pg_catalog.to_jsonb(s) ->> 'invalidation_reason' AS invalidation_reason,
    COALESCE((pg_catalog.to_jsonb(s) ->> 'conflicting')::bool, FALSE) AS conflicting,
    CASE
        WHEN s.active THEN NULL
        ELSE pg_catalog.format('SELECT pg_catalog.pg_drop_replication_slot(%L)', s.slot_name)
    END AS remedy
FROM pg_catalog.pg_replication_slots AS s
ORDER BY s.slot_name

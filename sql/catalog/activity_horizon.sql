-- What keeps the oldest row versions from being vacuumed away, how old is it, and which SQL ends it?
-- Server: 14.
-- Rights: pg_monitor to see the sessions of others.
SELECT
    'session' AS kind,
    a.pid::text AS name,
    a.datname::text AS database,
    GREATEST(pg_catalog.age(a.backend_xmin), pg_catalog.age(a.backend_xid))::int8 AS age,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.xact_start)::float8 AS seconds,
    pg_catalog.format('SELECT pg_catalog.pg_terminate_backend(%s)', a.pid) AS remedy
FROM pg_catalog.pg_stat_activity AS a
WHERE (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
    AND a.pid <> pg_catalog.pg_backend_pid()
    AND a.backend_type IS DISTINCT FROM 'walsender'
UNION ALL
SELECT
    'replication slot',
    s.slot_name::text,
    s.database::text,
    GREATEST(pg_catalog.age(s.xmin), pg_catalog.age(s.catalog_xmin))::int8,
    NULL,
    CASE
        WHEN s.active THEN pg_catalog.format('-- in use by process %s: let its consumer catch up', s.active_pid)
        ELSE pg_catalog.format('SELECT pg_catalog.pg_drop_replication_slot(%L)', s.slot_name)
    END
FROM pg_catalog.pg_replication_slots AS s
WHERE s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL
UNION ALL
SELECT
    'prepared transaction',
    p.gid,
    p.database::text,
    pg_catalog.age(p.transaction)::int8,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - p.prepared)::float8,
    'ROLLBACK PREPARED ' || pg_catalog.quote_literal(p.gid)
FROM pg_catalog.pg_prepared_xacts AS p
UNION ALL
SELECT
    'standby',
    COALESCE(NULLIF(r.application_name, ''), r.pid::text),
    NULL,
    pg_catalog.age(r.backend_xmin)::int8,
    NULL,
    '-- on the standby: end its oldest transaction, or set hot_standby_feedback = off'
FROM pg_catalog.pg_stat_replication AS r
WHERE r.backend_xmin IS NOT NULL

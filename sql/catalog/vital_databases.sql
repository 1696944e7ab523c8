-- How old is each database, and what has it counted since its statistics began?
-- Server: 14.
-- Rights: none.
SELECT
    COALESCE(d.datname::text, '(shared)') AS database,
    pg_catalog.age(d.datfrozenxid)::int8 AS xid_age,
    CASE WHEN d.oid IS NOT NULL THEN pg_catalog.mxid_age(d.datminmxid)::int8 END AS mxid_age,
    NULLIF(d.datconnlimit, -1)::int8 AS connection_limit,
    COALESCE(s.numbackends, 0)::int8 AS connections,
    s.blks_hit,
    s.blks_read,
    s.xact_commit AS commits,
    s.xact_rollback AS rollbacks,
    s.deadlocks,
    s.conflicts,
    s.temp_files,
    s.temp_bytes,
    s.checksum_failures,
    s.active_time::float8 / 1000 AS active_seconds,
    pg_catalog.date_part('epoch', pg_catalog.now() - s.stats_reset)::float8 AS stats_seconds,
    COALESCE(d.datname = pg_catalog.current_database(), FALSE) AS here
FROM pg_catalog.pg_stat_database AS s
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.datid
WHERE d.oid IS NOT NULL OR s.datid = 0
ORDER BY pg_catalog.age(d.datfrozenxid) DESC NULLS LAST, 1

-- Which vacuums run, and how far are they?
-- Server: 14.
-- Rights: pg_monitor to see those of others.
SELECT
    p.pid::int8 AS pid,
    p.datname::text AS database,
    CASE WHEN p.datname = pg_catalog.current_database() THEN pg_catalog.format('%I.%I', n.nspname, c.relname) END AS relation,
    p.phase,
    p.heap_blks_total AS blocks,
    p.heap_blks_scanned AS scanned,
    COALESCE(a.backend_type = 'autovacuum worker', FALSE) AS automatic,
    COALESCE(a.query LIKE '%(to prevent wraparound)%', FALSE) AS against_wraparound,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.xact_start)::float8 AS seconds
FROM pg_catalog.pg_stat_progress_vacuum AS p
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = p.pid
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = p.relid
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY a.xact_start, p.pid

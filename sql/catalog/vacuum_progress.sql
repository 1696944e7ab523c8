-- How far are the vacuums of these backends? Columns differ between majors: what is not there is NULL.
-- Server: 14.
-- Rights: pg_monitor to see those of others; one's own are always seen.
SELECT
    p.pid,
    p.relid,
    p.phase,
    p.heap_blks_total AS blocks,
    p.heap_blks_scanned AS scanned,
    p.heap_blks_vacuumed AS vacuumed,
    p.index_vacuum_count AS index_rounds,
    (pg_catalog.to_jsonb(p) ->> 'indexes_total')::int8 AS indexes,
    (pg_catalog.to_jsonb(p) ->> 'indexes_processed')::int8 AS indexes_done
FROM pg_catalog.pg_stat_progress_vacuum AS p
WHERE p.pid = ANY ($1)
ORDER BY p.pid

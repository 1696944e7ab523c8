-- How far is the index build of this backend?
-- Server: 14.
-- Rights: none for one's own role.
SELECT
    p.phase,
    CASE WHEN p.blocks_total > 0 THEN p.blocks_done ELSE p.tuples_done END AS done,
    CASE WHEN p.blocks_total > 0 THEN p.blocks_total ELSE p.tuples_total END AS total
FROM pg_catalog.pg_stat_progress_create_index AS p
WHERE p.pid = $1

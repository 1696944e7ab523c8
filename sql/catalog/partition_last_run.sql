-- When did a run of this command ($1) begin last, how did it end, and when did one last end well?
-- Server: 14.
-- Rights: SELECT on dbctl.run.
SELECT
    r.started_at,
    r.outcome,
    (
        SELECT pg_catalog.max(g.finished_at)
        FROM dbctl.run AS g
        WHERE g.command = $1 AND g.outcome IN ('done', 'partial')
    ) AS good_at
FROM dbctl.run AS r
WHERE r.command = $1
ORDER BY r.id DESC
LIMIT 1

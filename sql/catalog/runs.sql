-- What did the last runs of dbctl do here?
-- Server: 14.
-- Rights: SELECT on dbctl.run and dbctl.journal.
SELECT
    r.id,
    r.command,
    r.started_at,
    pg_catalog.date_part('epoch', r.finished_at - r.started_at)::float8 AS seconds,
    COALESCE(
        r.outcome,
        CASE WHEN a.pid IS NULL THEN 'killed' ELSE 'at work' END
    ) AS outcome,
    r.role,
    r.detail,
    (
        SELECT pg_catalog.count(*)
        FROM dbctl.journal AS j
        WHERE j.run = r.id AND j.state = 'applied' AND j.statement IS NULL
    ) AS steps
FROM dbctl.run AS r
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = r.backend_pid AND a.backend_start <= r.started_at
ORDER BY r.id DESC
LIMIT $1

-- What did the last runs of dbctl do here?
-- Server: 14. Rights: SELECT on dbctl.run and dbctl.journal.
SELECT
    r.id,
    r.command,
    r.started_at,
    r.finished_at,
    r.outcome,
    r.role,
    (SELECT pg_catalog.count(*) FROM dbctl.journal AS j WHERE j.run = r.id AND j.state = 'applied') AS steps
FROM dbctl.run AS r
ORDER BY r.id DESC
LIMIT 20

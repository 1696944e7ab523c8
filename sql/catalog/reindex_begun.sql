-- Which indexes did an earlier run begin to build anew without ever saying how that ended, and what was its list?
-- Server: 14.
-- Rights: SELECT on dbctl.journal and dbctl.run.
-- Of a run that came to its end, nothing is open; where all have, the journal is not read.
SELECT DISTINCT
    j.subject,
    (
        SELECT p.detail ->> 'indexes'
        FROM dbctl.journal AS p
        WHERE p.run = j.run AND p.subject = 'reindex' AND p.state = 'started'
        ORDER BY p.id DESC
        LIMIT 1
    ) AS indexes
FROM dbctl.journal AS j
INNER JOIN dbctl.run AS r ON r.id = j.run AND r.outcome IS DISTINCT FROM 'done'
WHERE
    j.state = 'started'
    AND pg_catalog.starts_with(j.subject, 'reindex:')
    AND NOT EXISTS (
        SELECT
        FROM dbctl.journal AS later
        WHERE later.subject = j.subject AND later.id > j.id
    )
    AND EXISTS (
        SELECT
        FROM dbctl.run AS open
        WHERE open.outcome IS DISTINCT FROM 'done'
    )
ORDER BY j.subject

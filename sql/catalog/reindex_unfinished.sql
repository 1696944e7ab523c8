-- Which list of indexes did the last reindex that has not come to its end have, and since when?
-- Server: 14.
-- Rights: SELECT on dbctl.journal.
SELECT
    j.run,
    j.at,
    j.detail ->> 'indexes' AS indexes
FROM dbctl.journal AS j
WHERE
    j.subject = 'reindex'
    AND j.state = 'started'
    AND j.id > COALESCE(
        (
            SELECT pg_catalog.max(e.id)
            FROM dbctl.journal AS e
            WHERE e.subject = 'reindex' AND e.state = 'applied'
        ),
        0
    )
ORDER BY j.id DESC
LIMIT 1

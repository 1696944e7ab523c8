-- Which steps of this history were begun statement by statement and are not closed yet?
-- Server: 14.
-- Rights: SELECT on dbctl.journal.
SELECT
    j.subject,
    pg_catalog.count(DISTINCT j.statement) AS statements
FROM dbctl.journal AS j
WHERE
    j.state = 'finished'
    AND pg_catalog.starts_with(j.subject, $1)
    AND j.id > COALESCE(
        (
            SELECT pg_catalog.max(c.id)
            FROM dbctl.journal AS c
            WHERE
                c.statement IS NULL
                AND (
                    (c.subject = j.subject AND c.state IN ('applied', 'repaired'))
                    OR (c.subject = $1 || 'table' AND c.state = 'applied')
                    OR (pg_catalog.starts_with(c.subject, $1) AND c.state = 'undone')
                )
        ),
        0
    )
GROUP BY j.subject

-- Which indexes did an earlier run begin to build anew without ever saying how that ended, and what was its list?
-- Server: 14.
-- Rights: SELECT on dbctl.journal.
SELECT
    x.subject,
    (
        SELECT p.detail ->> 'indexes'
        FROM dbctl.journal AS p
        WHERE p.run = x.run AND p.subject = 'reindex' AND p.state = 'started'
        ORDER BY p.id DESC
        LIMIT 1
    ) AS indexes
FROM (
    SELECT DISTINCT ON (j.subject)
        j.subject,
        j.state,
        j.run
    FROM dbctl.journal AS j
    WHERE pg_catalog.starts_with(j.subject, 'reindex:')
    ORDER BY j.subject, j.id DESC
) AS x
WHERE x.state = 'started'
ORDER BY x.subject

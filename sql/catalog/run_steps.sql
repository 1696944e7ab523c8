-- What did one run of dbctl do here, in order?
-- Server: 14.
-- Rights: SELECT on dbctl.journal.
SELECT
    j.at,
    j.subject,
    j.statement,
    j.state,
    j.detail::text AS detail
FROM dbctl.journal AS j
WHERE j.run = $1
ORDER BY j.id

-- What is known of the statements of a step that was begun and not closed?
-- Server: 14.
-- Rights: SELECT on dbctl.journal.
SELECT
    j.statement,
    COALESCE(
        (pg_catalog.array_agg(j.sql_hash ORDER BY j.id DESC) FILTER (WHERE j.sql_hash IS NOT NULL))[1], ''
    ) AS sql_hash,
    (pg_catalog.array_agg(j.state ORDER BY j.id DESC))[1] AS state,
    COALESCE(
        (
            SELECT pg_catalog.array_agg(e.oid::bigint)
            FROM pg_catalog.jsonb_array_elements_text(
                (pg_catalog.array_agg(j.detail ORDER BY j.id DESC) FILTER (WHERE j.state = 'started'))[1]
            ) AS e (oid)
        ),
        '{}'::bigint[]
    ) AS invalid_before
FROM dbctl.journal AS j
WHERE
    j.subject = $1
    AND j.statement IS NOT NULL
    AND j.state IN ('started', 'finished', 'failed')
    AND j.id > COALESCE(
        (
            SELECT pg_catalog.max(c.id)
            FROM dbctl.journal AS c
            WHERE
                c.statement IS NULL
                AND (
                    (c.subject = $1 AND c.state IN ('applied', 'repaired'))
                    -- A history that was made anew, or a version of it that was taken back: what an
                    -- unfinished step had done before may be gone with it.
                    OR (c.subject = $2 || 'table' AND c.state = 'applied')
                    OR (pg_catalog.starts_with(c.subject, $2) AND c.state = 'undone')
                )
        ),
        0
    )
GROUP BY j.statement
ORDER BY j.statement

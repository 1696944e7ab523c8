-- Which relations have one of these names ($1), how large are they, and are they this role's to change?
-- Server: 14.
-- Rights: none.
SELECT
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relkind::text AS kind,
    CURRENT_USER::text AS role,
    pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
    pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned,
    size.rows,
    size.bytes,
    c.relkind = 'p' AS partitioned,
    EXISTS (
        SELECT FROM pg_catalog.pg_partitioned_table AS p WHERE p.partrelid = c.oid AND p.partdefid <> 0
    ) AS has_default,
    EXISTS (SELECT FROM pg_catalog.pg_policy AS p WHERE p.polrelid = c.oid) AS has_policy,
    n.nspname = ANY (
        pg_catalog.string_to_array(pg_catalog.replace(s.path, '$user', CURRENT_USER::text), ',')
    ) AS visible
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    WITH RECURSIVE tree AS (
        SELECT c.oid AS relid
        UNION ALL
        SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i INNER JOIN tree ON i.inhparent = tree.relid
        WHERE c.relkind = 'p'
    )
    SELECT
        COALESCE(pg_catalog.sum(GREATEST(l.reltuples, 0)), 0)::int8 AS rows,
        COALESCE(
            pg_catalog.sum(
                CASE
                    -- The size of what somebody holds is waited for: the last known one is.
                    WHEN EXISTS (
                        SELECT FROM pg_catalog.pg_locks AS k
                        WHERE k.relation IN (l.oid, l.reltoastrelid) AND k.mode = 'AccessExclusiveLock'
                    ) THEN (
                        l.relpages::int8
                        + COALESCE((SELECT o.relpages FROM pg_catalog.pg_class AS o WHERE o.oid = l.reltoastrelid), 0)
                    ) * pg_catalog.current_setting('block_size')::int8
                    ELSE pg_catalog.pg_table_size(l.oid)
                END
            ),
            0
        )::int8 AS bytes
    FROM tree
    INNER JOIN pg_catalog.pg_class AS l ON l.oid = tree.relid
    WHERE l.relkind IN ('r', 'm')
) AS size
CROSS JOIN (
    SELECT pg_catalog.replace(pg_catalog.replace(s.reset_val, ' ', ''), '"', '') AS path
    FROM pg_catalog.pg_settings AS s
    WHERE s.name = 'search_path'
) AS s
WHERE
    c.relname = ANY ($1)
    AND c.relkind IN ('r', 'p', 'm', 'v', 'S', 'f')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY
    COALESCE(
        -pg_catalog.array_position(
            pg_catalog.string_to_array(pg_catalog.replace(s.path, '$user', CURRENT_USER::text), ','),
            n.nspname::text
        ),
        -1000
    ),
    n.nspname,
    c.relname

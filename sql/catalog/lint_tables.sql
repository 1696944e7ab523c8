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
    CASE WHEN c.relkind IN ('r', 'm', 'p') THEN (
        SELECT COALESCE(pg_catalog.sum(GREATEST(l.reltuples, 0)), 0)::int8
        FROM pg_catalog.pg_partition_tree(c.oid) AS t
        INNER JOIN pg_catalog.pg_class AS l ON l.oid = t.relid
        WHERE t.isleaf
    ) ELSE 0 END + CASE WHEN c.relkind = 'm' THEN GREATEST(c.reltuples, 0)::int8 ELSE 0 END AS rows,
    CASE
        WHEN c.relkind = 'p' THEN (
            SELECT COALESCE(pg_catalog.sum(pg_catalog.pg_table_size(t.relid)), 0)::int8
            FROM pg_catalog.pg_partition_tree(c.oid) AS t
            WHERE t.isleaf
        )
        WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_table_size(c.oid)
        ELSE 0
    END AS bytes,
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

-- What may this role do here, which of these roles and extensions are missing, and how much memory is there?
-- Server: 14.
-- Rights: none.
SELECT
    r.rolsuper AS is_superuser,
    r.rolsuper OR r.rolcreatedb AS may_create,
    -- What a connection is opened with is judged by who logs in.
    EXISTS (
        SELECT
        FROM pg_catalog.pg_roles AS s
        WHERE s.rolname = SESSION_USER AND s.rolsuper
    ) AS logs_in_as_superuser,
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) AS shared_buffers,
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) AS maintenance_memory,
    pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSMS') AS stamp,
    -- A stand-in of another restore goes away with it.
    ARRAY(
        SELECT w.name
        FROM pg_catalog.unnest($1::TEXT[]) AS w (name)
        WHERE NOT EXISTS (
            SELECT
            FROM pg_catalog.pg_roles AS o
            WHERE o.rolname = w.name
              AND COALESCE(pg_catalog.shobj_description(o.oid, 'pg_authid') NOT LIKE 'dbctl restore: stand-in %', TRUE)
        )
        ORDER BY w.name
    ) AS missing_roles,
    ARRAY(
        SELECT w.name
        FROM pg_catalog.unnest($2::TEXT[]) AS w (name)
        WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions AS e WHERE e.name = w.name)
        ORDER BY w.name
    ) AS missing_extensions
FROM pg_catalog.pg_roles AS r
WHERE r.rolname = CURRENT_USER

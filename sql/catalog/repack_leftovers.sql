-- What has a pg_repack that did not end left, known by OIDs, types and functions, and does anybody still work on it?
-- Server: 14.
-- Rights: none.
WITH home AS (
    SELECT p.oid AS trigger_function, p.pronamespace AS schema_oid, n.nspname
    FROM pg_catalog.pg_extension AS e
    INNER JOIN pg_catalog.pg_depend AS d ON d.refobjid = e.oid AND d.deptype = 'e'
        AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
        AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    INNER JOIN pg_catalog.pg_proc AS p ON p.oid = d.objid AND p.proname = 'repack_trigger'
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE e.extname = 'pg_repack'
),

found AS (
    SELECT
        t.oid,
        t.relname,
        t.relnamespace,
        h.nspname AS home,
        (
            SELECT g.tgname FROM pg_catalog.pg_trigger AS g
            WHERE g.tgrelid = t.oid AND g.tgfoid = h.trigger_function AND NOT g.tgisinternal
            LIMIT 1
        ) AS trigger_name,
        (
            SELECT c.relname
            FROM pg_catalog.pg_class AS c
            INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'row' AND a.atttypid = t.reltype
            WHERE c.relnamespace = h.schema_oid AND c.relkind = 'r' AND c.relname = 'log_' || t.oid
        ) AS log_name,
        (
            SELECT c.relname FROM pg_catalog.pg_class AS c
            WHERE c.relnamespace = h.schema_oid AND c.relkind = 'r' AND c.relname = 'table_' || t.oid
        ) AS copy_name,
        (
            SELECT y.typname FROM pg_catalog.pg_type AS y
            WHERE y.typnamespace = h.schema_oid AND y.typtype = 'c' AND y.typname = 'pk_' || t.oid
        ) AS type_name
    FROM pg_catalog.pg_class AS t
    CROSS JOIN home AS h
    WHERE t.relkind = 'r' AND t.relnamespace <> h.schema_oid
)

SELECT
    f.oid,
    n.nspname::text AS schema,
    f.relname::text AS name,
    f.home::text AS home,
    f.trigger_name::text AS trigger_name,
    f.log_name::text AS log_name,
    f.copy_name::text AS copy_name,
    f.type_name::text AS type_name,
    (
        SELECT pg_catalog.min(l.pid)
        FROM pg_catalog.pg_locks AS l
        WHERE l.locktype = 'advisory' AND l.granted AND l.classid::int8 = 16185446 AND l.objsubid = 2
            AND l.pid <> pg_catalog.pg_backend_pid()
            AND l.objid::int8 = (f.oid::int8 + 2147483648) % 4294967296
            AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
    ) AS worked_by
FROM found AS f
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = f.relnamespace
WHERE f.trigger_name IS NOT NULL OR f.log_name IS NOT NULL
ORDER BY f.oid

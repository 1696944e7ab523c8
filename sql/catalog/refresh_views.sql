-- Which materialized views are there, which can be filled anew while others read them, and which read which?
-- Server: 14.
-- Rights: none.
-- The server asks for a unique index on columns alone and of all rows; what was never filled has nothing to compare with.
WITH RECURSIVE reads AS (
    SELECT r.ev_class AS view, d.refobjid AS relation
    FROM pg_catalog.pg_rewrite AS r
    INNER JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
        AND d.objid = r.oid
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refobjid <> r.ev_class
),
deep AS (
    SELECT d.view, d.relation
    FROM reads AS d
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = d.view AND c.relkind = 'm'
    UNION
    SELECT d.view, r.relation
    FROM deep AS d
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = d.relation AND c.relkind = 'v'
    INNER JOIN reads AS r ON r.view = d.relation
)
SELECT
    c.oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relispopulated AS is_filled,
    EXISTS (
        SELECT
        FROM pg_catalog.pg_index AS i
        WHERE
            i.indrelid = c.oid
            AND i.indisunique
            AND i.indimmediate
            AND i.indisvalid
            AND i.indpred IS NULL
            AND NOT 0 = ANY(i.indkey::int2[])
    ) AS is_keyed,
    pg_catalog.pg_has_role(c.relowner, 'USAGE') OR CASE
        WHEN pg_catalog.current_setting('server_version_num')::int8 >= 170000
            THEN pg_catalog.has_table_privilege(c.oid, 'MAINTAIN')
        ELSE false
    END AS may,
    pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
    c.relpages::int8 * pg_catalog.current_setting('block_size')::int8 AS bytes,
    (
        SELECT pg_catalog.array_agg(d.relation ORDER BY d.relation)
        FROM deep AS d
        INNER JOIN pg_catalog.pg_class AS m ON m.oid = d.relation AND m.relkind = 'm'
        WHERE d.view = c.oid
    ) AS reads,
    n.nspname = ANY(pg_catalog.current_schemas(false)) AS is_in_path
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'm'
ORDER BY n.nspname, c.relname

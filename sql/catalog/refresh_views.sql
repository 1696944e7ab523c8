-- Which materialized views are there, in which order may they be refreshed, and can it be done beside readers?
-- Server: 14.
-- Rights: none.
-- A view that reads others comes after them: its depth is greater.
WITH RECURSIVE reads AS (
    SELECT DISTINCT w.ev_class AS reader, d.refobjid AS source
    FROM pg_catalog.pg_rewrite AS w
    INNER JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> w.ev_class
    INNER JOIN pg_catalog.pg_class AS s ON s.oid = d.refobjid AND s.relkind IN ('m', 'v')
),

below AS (
    SELECT r.reader, r.source, 1 AS depth
    FROM reads AS r
    UNION
    SELECT b.reader, r.source, b.depth + 1
    FROM below AS b
    INNER JOIN reads AS r ON r.reader = b.source
    WHERE b.depth < 100
)

SELECT
    c.oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relispopulated AS populated,
    EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
    ) AS has_key,
    COALESCE((SELECT pg_catalog.max(b.depth) FROM below AS b WHERE b.reader = c.oid), 0)::int8 AS depth,
    pg_catalog.pg_has_role(c.relowner, 'USAGE')
    OR CASE
        WHEN pg_catalog.current_setting('server_version_num')::int4 >= 170000
            THEN COALESCE(pg_catalog.has_table_privilege(c.oid, 'MAINTAIN'), FALSE)
        ELSE FALSE
    END AS permitted
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'm'
ORDER BY depth, n.nspname, c.relname

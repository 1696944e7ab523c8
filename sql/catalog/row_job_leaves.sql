-- Which tables hold the rows of a table, within which bounds of it, and how large are they?
-- Server: 14.
-- Rights: none.
WITH RECURSIVE tree AS (
    SELECT c.oid, NULL::oid AS top
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = $1::oid
    UNION ALL
    SELECT i.inhrelid, COALESCE(tree.top, i.inhrelid)
    FROM tree
    JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid AND NOT i.inhdetachpending
)
SELECT
    c.oid::int8 AS oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relkind::text AS kind,
    pg_catalog.pg_get_expr(t.relpartbound, t.oid) AS bound,
    GREATEST(c.reltuples, 0)::float8 AS rows,
    COALESCE(pg_catalog.pg_relation_size(c.oid), 0) AS bytes
FROM tree
JOIN pg_catalog.pg_class AS c ON c.oid = tree.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = tree.top
WHERE c.relkind <> 'p'
ORDER BY n.nspname, c.relname

-- Which triggers fire before rows of a table are changed or deleted, and which of them look as if they might refuse it?
-- Server: 14.
-- Rights: none.
WITH RECURSIVE tree AS (
    SELECT $1::oid AS oid
    UNION ALL
    SELECT i.inhrelid
    FROM tree
    JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid
)
SELECT
    t.tgname::text AS name,
    p.oid::regproc::text AS function,
    pg_catalog.bool_or(t.tgtype & 8 <> 0) AS on_delete,
    pg_catalog.bool_or(t.tgtype & 16 <> 0) AS on_update,
    p.prosrc ~* 'raise\s+exception|return\s+null' AS may_refuse
FROM tree
JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = tree.oid
JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
-- tgtype: 2 is BEFORE, 8 is DELETE, 16 is UPDATE.
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype & 2 <> 0 AND t.tgtype & 24 <> 0
GROUP BY t.tgname, p.oid, p.prosrc
ORDER BY t.tgname, p.oid

-- Which partitions do these tables (schemas $1, names $2) have, and what does each hold?
-- Server: 14.
-- Rights: none.
-- The bound is printed without its table: that takes no lock on the partition.
SELECT
    i.inhparent AS parent,
    c.oid,
    cn.nspname::text AS schema,
    c.relname::text AS name,
    c.relkind::text AS kind,
    i.inhdetachpending AS pending,
    pg_catalog.pg_get_expr(c.relpartbound, 0::oid) AS bound
FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS w (schema, name)
INNER JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema
INNER JOIN pg_catalog.pg_class AS p ON p.relnamespace = n.oid AND p.relname = w.name
INNER JOIN pg_catalog.pg_inherits AS i ON i.inhparent = p.oid
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
INNER JOIN pg_catalog.pg_namespace AS cn ON cn.oid = c.relnamespace
WHERE p.relkind = 'p'

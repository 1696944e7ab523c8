-- How are these tables (schemas $1, names $2) partitioned?
-- Server: 14.
-- Rights: none.
SELECT
    w.n AS position,
    c.oid,
    c.relkind::text AS kind,
    c.relispartition AS is_partition,
    p.partstrat::text AS strategy,
    COALESCE(p.partnatts, 0::int2)::int4 AS columns,
    a.attname::text AS key,
    pg_catalog.format_type(a.atttypid, NULL) AS key_type,
    COALESCE(a.attnotnull, false) AS key_not_null,
    NULLIF(p.partdefid, 0::oid) AS default_partition,
    (
        SELECT pg_catalog.count(*)
        FROM pg_catalog.pg_index AS x
        WHERE x.indrelid = c.oid
    ) AS indexes
FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) WITH ORDINALITY AS w (schema, name, n)
INNER JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema
INNER JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name
LEFT JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid = c.oid
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0] AND p.partattrs[0] > 0
WHERE c.relkind IN ('r', 'p', 'f', 'm', 'v')
ORDER BY w.n

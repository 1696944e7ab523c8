-- What is the table of a row job, and what may this role do with it?
-- Server: 14.
-- Rights: none.
SELECT
    c.oid::int8 AS oid,
    c.relkind::text AS kind,
    pg_catalog.row_security_active(c.oid) AS row_security,
    pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS may_use,
    pg_catalog.has_table_privilege(c.oid, 'SELECT') AS may_select,
    pg_catalog.has_table_privilege(c.oid, 'INSERT') AS may_insert,
    pg_catalog.has_table_privilege(c.oid, 'UPDATE') AS may_update,
    pg_catalog.has_table_privilege(c.oid, 'DELETE') AS may_delete,
    ARRAY(
        SELECT COALESCE(a.attname::text, '')
        FROM pg_catalog.pg_partitioned_table AS p
        CROSS JOIN pg_catalog.unnest(p.partattrs::int2[]) WITH ORDINALITY AS k (number, at)
        LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = k.number AND k.number > 0
        WHERE p.partrelid = c.oid
        ORDER BY k.at
    ) AS partition_key
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2

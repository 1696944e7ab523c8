-- Which columns has this relation, in their order, and what does each one's value come from?
-- Server: 14.
-- Rights: none.
SELECT
    a.attname::text AS name,
    a.atttypid AS type_oid,
    pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
    a.attnotnull AS not_null,
    a.attgenerated <> '' AS generated,
    coalesce(i.indisprimary, FALSE) AS key,
    CASE
        WHEN a.attgenerated <> '' THEN NULL
        WHEN a.attidentity <> '' THEN
            pg_catalog.format(
                'pg_catalog.nextval(pg_catalog.pg_get_serial_sequence(%L, %L))',
                pg_catalog.format('%I.%I', n.nspname, c.relname),
                a.attname
            )
        ELSE pg_catalog.pg_get_expr(d.adbin, d.adrelid)
    END AS default_value,
    pg_catalog.pg_get_serial_sequence(pg_catalog.format('%I.%I', n.nspname, c.relname), a.attname) AS sequence,
    c.relkind::text AS kind,
    pg_catalog.row_security_active(c.oid) AS secured
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)
WHERE n.nspname = $1 AND c.relname = $2
ORDER BY a.attnum

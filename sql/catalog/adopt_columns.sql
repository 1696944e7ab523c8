-- Which columns has this table, and what is set for each?
-- Server: 14.
-- Rights: none.
SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
    'name', a.attname,
    'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
    'not_null', a.attnotnull,
    'identity', a.attidentity::text,
    'generated', a.attgenerated::text,
    'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid),
    -- Since 17 nothing is NULL, before it was -1.
    'statistics', NULLIF(a.attstattarget, -1),
    -- Nobody set pg_attver, by which newer minor releases count versions of a column.
    'options', (
        SELECT COALESCE(pg_catalog.jsonb_agg(o.one), '[]')
        FROM pg_catalog.unnest(a.attoptions) AS o (one)
        WHERE NOT pg_catalog.starts_with(o.one, 'pg_attver=')
    ),
    'sequence', q.sequence
) ORDER BY a.attnum), '[]')::text AS found
FROM pg_catalog.pg_attribute AS a
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN LATERAL (
    SELECT pg_catalog.jsonb_build_object(
        'schema', n.nspname, 'name', c.relname, 'start', s.seqstart, 'increment', s.seqincrement, 'min', s.seqmin,
        'max', s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle, 'comment', pg_catalog.obj_description(c.oid, 'pg_class'),
        'grants', (
            SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                'grantee', g.rolname, 'privilege', e.privilege_type, 'grantable', e.is_grantable, 'column', NULL
            ) ORDER BY g.rolname, e.privilege_type), '[]')
            FROM pg_catalog.aclexplode(c.relacl) AS e
            LEFT JOIN pg_catalog.pg_roles AS g ON g.oid = e.grantee
        )
    ) AS sequence
    FROM pg_catalog.pg_depend AS p
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = p.objid AND c.relkind = 'S'
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    INNER JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = c.oid
    WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass
        AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum AND p.deptype IN ('a', 'i')
    ORDER BY c.relname
    LIMIT 1
) AS q ON true
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped

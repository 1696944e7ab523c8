-- How is this table partitioned, into what, and which foreign keys lead from and to it?
-- Server: 14.
-- Rights: none.
SELECT pg_catalog.jsonb_build_object(
    'strategy', (SELECT p.partstrat::text FROM pg_catalog.pg_partitioned_table AS p WHERE p.partrelid = $1::oid),
    -- Nothing stands for an expression.
    'key', (
        SELECT pg_catalog.jsonb_agg(a.attname ORDER BY k.at)
        FROM pg_catalog.pg_partitioned_table AS p
        CROSS JOIN LATERAL pg_catalog.unnest(p.partattrs::int2[]) WITH ORDINALITY AS k (attnum, at)
        LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = k.attnum AND k.attnum > 0
        WHERE p.partrelid = $1::oid
    ),
    'partitions', (
        SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'oid', c.oid::int8,
            'schema', n.nspname,
            'name', c.relname,
            'kind', c.relkind::text,
            'bound', pg_catalog.pg_get_expr(c.relpartbound, c.oid)
        ) ORDER BY c.oid), '[]')
        FROM pg_catalog.pg_inherits AS i
        INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
        INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE i.inhparent = $1::oid AND c.relpartbound IS NOT NULL
    ),
    'outbound', (
        SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', f.conname, 'table', f.confrelid::regclass::text, 'definition', pg_catalog.pg_get_constraintdef(f.oid)
        ) ORDER BY f.conname), '[]')
        FROM pg_catalog.pg_constraint AS f
        WHERE f.conrelid = $1::oid AND f.contype = 'f' AND f.conparentid = 0
    ),
    'inbound', (
        SELECT COALESCE(pg_catalog.jsonb_agg(f.conrelid::regclass::text || ' (' || f.conname || ')' ORDER BY f.conname), '[]')
        FROM pg_catalog.pg_constraint AS f
        WHERE f.confrelid = $1::oid AND f.contype = 'f' AND f.conparentid = 0
    )
)::text AS found

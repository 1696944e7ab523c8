-- Who may do what with this table and its columns, and what would a new table grant by default?
-- Server: 14.
-- Rights: none.
SELECT pg_catalog.jsonb_build_object(
    'explicit', (SELECT c.relacl IS NOT NULL FROM pg_catalog.pg_class AS c WHERE c.oid = $1::oid),
    'grants', (
        SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'grantee', r.rolname, 'privilege', g.privilege_type, 'grantable', g.is_grantable, 'column', g.attname
        ) ORDER BY g.attname NULLS FIRST, r.rolname NULLS FIRST, g.privilege_type), '[]')
        FROM (
            SELECT e.grantee, e.privilege_type, e.is_grantable, NULL::name AS attname
            FROM pg_catalog.pg_class AS c
            CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS e
            WHERE c.oid = $1::oid
            UNION
            SELECT e.grantee, e.privilege_type, e.is_grantable, a.attname
            FROM pg_catalog.pg_attribute AS a
            CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) AS e
            WHERE a.attrelid = $1::oid AND NOT a.attisdropped
        ) AS g
        LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = g.grantee
    ),
    'defaults', (
        SELECT COALESCE(pg_catalog.jsonb_agg(DISTINCT COALESCE(r.rolname, 'public')), '[]')
        FROM pg_catalog.pg_default_acl AS d
        CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS e
        LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = e.grantee
        WHERE d.defaclobjtype = 'r'
    )
)::text AS found

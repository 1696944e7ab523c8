-- Which triggers, policies and rules has this table?
-- Server: 14.
-- Rights: none.
SELECT pg_catalog.jsonb_build_object(
    'triggers', (
        SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', t.tgname,
            'definition', pg_catalog.pg_get_triggerdef(t.oid),
            'enabled', t.tgenabled::text,
            'by_row', t.tgtype & 1 = 1,
            'transition', t.tgoldtable IS NOT NULL OR t.tgnewtable IS NOT NULL,
            'comment', pg_catalog.obj_description(t.oid, 'pg_trigger')
        ) ORDER BY t.tgname), '[]')
        FROM pg_catalog.pg_trigger AS t
        WHERE t.tgrelid = $1::oid AND NOT t.tgisinternal
    ),
    'policies', (
        SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', p.polname,
            'permissive', p.polpermissive,
            'command', p.polcmd::text,
            -- Role 0 is PUBLIC.
            'roles', (
                SELECT COALESCE(pg_catalog.jsonb_agg(r.rolname ORDER BY r.rolname), '[]')
                FROM pg_catalog.pg_roles AS r
                WHERE r.oid = ANY (p.polroles)
            ),
            'using', pg_catalog.pg_get_expr(p.polqual, p.polrelid),
            'check', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid),
            'comment', pg_catalog.obj_description(p.oid, 'pg_policy')
        ) ORDER BY p.polname), '[]')
        FROM pg_catalog.pg_policy AS p
        WHERE p.polrelid = $1::oid
    ),
    'rules', (
        SELECT COALESCE(pg_catalog.jsonb_agg(r.rulename ORDER BY r.rulename), '[]')
        FROM pg_catalog.pg_rewrite AS r
        WHERE r.ev_class = $1::oid
    )
)::text AS found

-- What lets one role have in this database what another one was granted, before that one's objects are reassigned?
-- Server: 14.
-- Rights: superuser, or the owner of what is granted; options of user mappings are a superuser's.
WITH roles AS (
    SELECT
        o.oid AS old,
        n.rolname AS new
    FROM pg_catalog.pg_roles AS o
    CROSS JOIN pg_catalog.pg_roles AS n
    WHERE o.rolname = $1::TEXT
      AND n.rolname = $2::TEXT
),

granted (turn, thing, part, acl) AS (
    SELECT
        1,
        CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.oid::REGCLASS::TEXT,
        '',
        c.relacl
    FROM pg_catalog.pg_class AS c
    UNION ALL
    SELECT
        2,
        'TABLE ' || a.attrelid::REGCLASS::TEXT,
        pg_catalog.format(' (%I)', a.attname),
        a.attacl
    FROM pg_catalog.pg_attribute AS a
    WHERE NOT a.attisdropped
    UNION ALL
    SELECT
        1,
        pg_catalog.format('SCHEMA %I', n.nspname),
        '',
        n.nspacl
    FROM pg_catalog.pg_namespace AS n
    UNION ALL
    SELECT
        1,
        'ROUTINE ' || p.oid::REGPROCEDURE::TEXT,
        '',
        p.proacl
    FROM pg_catalog.pg_proc AS p
    UNION ALL
    SELECT
        1,
        'TYPE ' || t.oid::REGTYPE::TEXT,
        '',
        t.typacl
    FROM pg_catalog.pg_type AS t
    UNION ALL
    SELECT
        1,
        pg_catalog.format('LANGUAGE %I', l.lanname),
        '',
        l.lanacl
    FROM pg_catalog.pg_language AS l
    UNION ALL
    SELECT
        1,
        pg_catalog.format('FOREIGN DATA WRAPPER %I', w.fdwname),
        '',
        w.fdwacl
    FROM pg_catalog.pg_foreign_data_wrapper AS w
    UNION ALL
    SELECT
        1,
        pg_catalog.format('FOREIGN SERVER %I', s.srvname),
        '',
        s.srvacl
    FROM pg_catalog.pg_foreign_server AS s
    UNION ALL
    SELECT
        1,
        'LARGE OBJECT ' || m.oid,
        '',
        m.lomacl
    FROM pg_catalog.pg_largeobject_metadata AS m
),

defaults AS (
    SELECT
        pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %I', CASE d.defaclrole WHEN r.old THEN r.new ELSE f.rolname END)
        || COALESCE(' IN SCHEMA ' || pg_catalog.quote_ident(n.nspname), '') AS whose,
        CASE d.defaclobjtype
            WHEN 'r' THEN 'TABLES'
            WHEN 'S' THEN 'SEQUENCES'
            WHEN 'f' THEN 'ROUTINES'
            WHEN 'T' THEN 'TYPES'
            WHEN 'n' THEN 'SCHEMAS'
            ELSE 'LARGE OBJECTS'
        END AS things,
        CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END AS kind,
        d.defaclrole,
        d.defaclnamespace,
        d.defaclacl
    FROM pg_catalog.pg_default_acl AS d
    CROSS JOIN roles AS r
    INNER JOIN pg_catalog.pg_roles AS f ON f.oid = d.defaclrole
    LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace
),

statements (turn, statement) AS (
    SELECT
        g.turn,
        pg_catalog.format(
            'GRANT %s%s ON %s TO %s%s',
            e.privilege_type,
            g.part,
            g.thing,
            CASE e.grantee
                WHEN r.old THEN pg_catalog.quote_ident(r.new)
                WHEN 0 THEN 'PUBLIC'
                ELSE pg_catalog.quote_ident(w.rolname)
            END,
            CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        )
    FROM granted AS g
    CROSS JOIN roles AS r
    CROSS JOIN LATERAL pg_catalog.aclexplode(g.acl) AS e
    LEFT JOIN pg_catalog.pg_roles AS w ON w.oid = e.grantee
    WHERE r.old IN (e.grantee, e.grantor)
    UNION ALL
    SELECT
        3,
        pg_catalog.format(
            '%s GRANT %s ON %s TO %s%s',
            d.whose,
            e.privilege_type,
            d.things,
            CASE e.grantee
                WHEN r.old THEN pg_catalog.quote_ident(r.new)
                WHEN 0 THEN 'PUBLIC'
                ELSE pg_catalog.quote_ident(w.rolname)
            END,
            CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        )
    FROM defaults AS d
    CROSS JOIN roles AS r
    CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS e
    LEFT JOIN pg_catalog.pg_roles AS w ON w.oid = e.grantee
    WHERE r.old IN (d.defaclrole, e.grantee)
    UNION ALL
    -- What everybody has of what a role makes, and was taken from them.
    SELECT
        4,
        pg_catalog.format('%s REVOKE %s ON %s FROM PUBLIC', d.whose, e.privilege_type, d.things)
    FROM defaults AS d
    CROSS JOIN roles AS r
    CROSS JOIN LATERAL pg_catalog.aclexplode(pg_catalog.acldefault(d.kind::"char", d.defaclrole)) AS e
    WHERE d.defaclrole = r.old
      AND d.defaclnamespace = 0
      AND e.grantee = 0
      AND NOT EXISTS (
          SELECT
          FROM pg_catalog.aclexplode(d.defaclacl) AS x
          WHERE x.grantee = 0
            AND x.privilege_type = e.privilege_type
      )
    UNION ALL
    SELECT
        5,
        pg_catalog.format(
            'ALTER POLICY %I ON %s TO %s',
            p.polname,
            p.polrelid::REGCLASS,
            (
                SELECT pg_catalog.string_agg(CASE w.oid WHEN r.old THEN pg_catalog.quote_ident(r.new) ELSE pg_catalog.quote_ident(w.rolname) END, ', ')
                FROM pg_catalog.pg_roles AS w
                WHERE w.oid = ANY(p.polroles)
            )
        )
    FROM pg_catalog.pg_policy AS p
    CROSS JOIN roles AS r
    WHERE r.old = ANY(p.polroles)
    UNION ALL
    SELECT
        6,
        pg_catalog.format('CREATE USER MAPPING IF NOT EXISTS FOR %I SERVER %I', r.new, u.srvname)
        || COALESCE(
            (
                SELECT ' OPTIONS (' || pg_catalog.string_agg(pg_catalog.format('%I %L', o.option_name, o.option_value), ', ') || ')'
                FROM pg_catalog.pg_options_to_table(u.umoptions) AS o
            ),
            ''
        )
    FROM pg_catalog.pg_user_mappings AS u
    CROSS JOIN roles AS r
    WHERE u.umuser = r.old
)

SELECT s.statement
FROM statements AS s
ORDER BY s.turn, s.statement

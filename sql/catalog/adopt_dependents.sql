-- What else is bound to this table itself, not to its name, and which publications hold it?
-- Server: 14.
-- Rights: none.
WITH bound AS (
    SELECT DISTINCT d.classid, d.objid, d.objsubid
    FROM pg_catalog.pg_depend AS d
    WHERE d.deptype IN ('n', 'a', 'i')
        AND (
            (d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::oid)
            OR (
                d.refclassid = 'pg_type'::regclass
                AND d.refobjid IN (
                    SELECT t.oid FROM pg_catalog.pg_type AS t WHERE t.typrelid = $1::oid
                    UNION ALL
                    SELECT t.typarray FROM pg_catalog.pg_type AS t WHERE t.typrelid = $1::oid
                )
            )
            -- A view that groups by the primary key is bound to that constraint.
            OR (
                d.refclassid = 'pg_constraint'::regclass
                AND d.refobjid IN (SELECT c.oid FROM pg_catalog.pg_constraint AS c WHERE c.conrelid = $1::oid AND c.contype = 'p')
                AND d.classid = 'pg_rewrite'::regclass
            )
        )
)
SELECT pg_catalog.jsonb_build_object(
    'views', (
        SELECT COALESCE(pg_catalog.jsonb_agg(DISTINCT pg_catalog.jsonb_build_object(
            'name', v.oid::regclass::text,
            'definition', pg_catalog.pg_get_viewdef(v.oid),
            'options', COALESCE(pg_catalog.to_jsonb(v.reloptions), '[]'),
            'by_key', EXISTS (
                SELECT
                FROM pg_catalog.pg_depend AS k
                INNER JOIN pg_catalog.pg_constraint AS p ON p.oid = k.refobjid AND p.conrelid = $1::oid AND p.contype = 'p'
                WHERE k.classid = 'pg_rewrite'::regclass AND k.objid = w.oid AND k.refclassid = 'pg_constraint'::regclass
            )
        )), '[]')
        FROM bound AS b
        INNER JOIN pg_catalog.pg_rewrite AS w ON w.oid = b.objid AND w.rulename = '_RETURN'
        INNER JOIN pg_catalog.pg_class AS v ON v.oid = w.ev_class AND v.relkind = 'v'
        WHERE b.classid = 'pg_rewrite'::regclass
    ),
    'others', (
        SELECT COALESCE(pg_catalog.jsonb_agg(o.what ORDER BY o.what), '[]')
        FROM (
            SELECT DISTINCT pg_catalog.pg_describe_object(b.classid, b.objid, b.objsubid) AS what
            FROM bound AS b
            LEFT JOIN pg_catalog.pg_rewrite AS w ON b.classid = 'pg_rewrite'::regclass AND w.oid = b.objid
            LEFT JOIN pg_catalog.pg_class AS v ON v.oid = w.ev_class
            WHERE NOT (
                -- Its own parts.
                (b.classid = 'pg_rewrite'::regclass AND (w.ev_class = $1::oid OR (v.relkind = 'v' AND w.rulename = '_RETURN')))
                OR (b.classid = 'pg_constraint'::regclass AND EXISTS (
                    SELECT FROM pg_catalog.pg_constraint AS c WHERE c.oid = b.objid AND $1::oid IN (c.conrelid, c.confrelid)
                ))
                OR (b.classid = 'pg_trigger'::regclass AND EXISTS (
                    SELECT FROM pg_catalog.pg_trigger AS t WHERE t.oid = b.objid AND (t.tgrelid = $1::oid OR t.tgisinternal)
                ))
                OR (b.classid = 'pg_policy'::regclass AND EXISTS (
                    SELECT FROM pg_catalog.pg_policy AS p WHERE p.oid = b.objid AND p.polrelid = $1::oid
                ))
                OR (b.classid = 'pg_attrdef'::regclass AND EXISTS (
                    SELECT FROM pg_catalog.pg_attrdef AS a WHERE a.oid = b.objid AND a.adrelid = $1::oid
                ))
                OR (b.classid = 'pg_class'::regclass AND EXISTS (
                    SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = b.objid AND c.relkind IN ('i', 'S', 't')
                ))
                OR (b.classid = 'pg_class'::regclass AND b.objid = $1::oid)
                OR (b.classid = 'pg_type'::regclass AND EXISTS (
                    SELECT
                    FROM pg_catalog.pg_type AS y
                    WHERE y.oid = b.objid
                        AND (y.typrelid = $1::oid OR y.typelem IN (SELECT r.oid FROM pg_catalog.pg_type AS r WHERE r.typrelid = $1::oid))
                ))
                OR b.classid IN (
                    'pg_publication_rel'::regclass, 'pg_statistic_ext'::regclass
                )
            )
        ) AS o
    ),
    'publications', (
        SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', p.pubname,
            'via_root', p.pubviaroot,
            'listed', r.prrelid IS NOT NULL,
            'filtered', pg_catalog.to_jsonb(r) ->> 'prqual' IS NOT NULL OR pg_catalog.to_jsonb(r) ->> 'prattrs' IS NOT NULL
        ) ORDER BY p.pubname), '[]')
        FROM pg_catalog.pg_publication AS p
        LEFT JOIN pg_catalog.pg_publication_rel AS r ON r.prpubid = p.oid AND r.prrelid = $1::oid
        WHERE EXISTS (
            SELECT
            FROM pg_catalog.pg_publication_tables AS t
            INNER JOIN pg_catalog.pg_class AS c ON c.oid = $1::oid
            INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE t.pubname = p.pubname AND t.schemaname = n.nspname AND t.tablename = c.relname
        )
    )
)::text AS found

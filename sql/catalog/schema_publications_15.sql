-- What publications are there, and what do they publish, with row filters, columns and schemas?
-- Server: 15.
-- Rights: none.
SELECT
    'publication' AS kind,
    p.pubname AS name,
    pg_catalog.pg_get_userbyid(p.pubowner) AS owner,
    pg_catalog.concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                         CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END) AS commands,
    NULLIF(p.puballtables, FALSE) AS all_tables,
    NULLIF(p.pubviaroot, FALSE) AS via_root,
    CASE WHEN pg_catalog.to_jsonb(p) ->> 'pubgencols' = 's' THEN 'stored' END AS generated_columns,
    (
        SELECT pg_catalog.array_agg(
            r.prrelid::REGCLASS::TEXT
            || COALESCE((
                SELECT ' (' || pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attname) || ')'
                FROM pg_catalog.unnest(r.prattrs) AS k (attnum)
                JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.prrelid AND a.attnum = k.attnum
            ), '')
            || COALESCE(' WHERE ' || pg_catalog.pg_get_expr(r.prqual, r.prrelid), '')
        )
        FROM pg_catalog.pg_publication_rel AS r
        WHERE r.prpubid = p.oid
    ) AS tables,
    (
        SELECT pg_catalog.array_agg(s.pnnspid::REGNAMESPACE::TEXT)
        FROM pg_catalog.pg_publication_namespace AS s
        WHERE s.pnpubid = p.oid
    ) AS schemas,
    pg_catalog.obj_description(p.oid, 'pg_publication') AS comment
FROM pg_catalog.pg_publication AS p

-- What publications are there, and what do they publish?
-- Server: 14.
-- Rights: none.
SELECT
    'publication' AS kind,
    p.pubname AS name,
    pg_catalog.pg_get_userbyid(p.pubowner) AS owner,
    pg_catalog.concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                         CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END) AS commands,
    NULLIF(p.puballtables, FALSE) AS all_tables,
    NULLIF(p.pubviaroot, FALSE) AS via_root,
    (
        SELECT pg_catalog.array_agg(r.prrelid::REGCLASS::TEXT)
        FROM pg_catalog.pg_publication_rel AS r
        WHERE r.prpubid = p.oid
    ) AS tables,
    pg_catalog.obj_description(p.oid, 'pg_publication') AS comment
FROM pg_catalog.pg_publication AS p

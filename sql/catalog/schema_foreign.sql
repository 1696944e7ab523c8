-- What foreign data wrappers, servers and user mappings are there? Words that look like secrets are not read.
-- Server: 14.
-- Rights: none.
SELECT
    NULL::TEXT AS of_kind,
    NULL::NAME AS of_name,
    'foreign_data_wrapper' AS kind,
    w.fdwname AS name,
    pg_catalog.pg_get_userbyid(w.fdwowner) AS owner,
    w.fdwacl::TEXT[] AS privileges,
    CASE WHEN w.fdwhandler <> 0 THEN w.fdwhandler::REGPROC::TEXT END AS handler,
    CASE WHEN w.fdwvalidator <> 0 THEN w.fdwvalidator::REGPROC::TEXT END AS validator,
    NULL::TEXT AS type,
    NULL::TEXT AS version,
    NULL::TEXT AS target,
    (
        SELECT pg_catalog.array_agg(pg_catalog.regexp_replace(o.option, '^([\w.-]*(password|passwd|secret|token|key)[\w.-]*)=.*$', '\1=****') ORDER BY o.option)
        FROM pg_catalog.unnest(w.fdwoptions) AS o (option)
    ) AS options,
    pg_catalog.obj_description(w.oid, 'pg_foreign_data_wrapper') AS comment
FROM pg_catalog.pg_foreign_data_wrapper AS w
WHERE w.fdwacl IS NOT NULL
   OR w.fdwoptions IS NOT NULL
   OR NOT EXISTS (
       SELECT
       FROM pg_catalog.pg_depend AS e
       WHERE e.classid = 'pg_catalog.pg_foreign_data_wrapper'::REGCLASS
         AND e.objid = w.oid
         AND e.deptype = 'e'
   )
UNION ALL
SELECT
    NULL,
    NULL,
    'server',
    s.srvname,
    pg_catalog.pg_get_userbyid(s.srvowner),
    s.srvacl::TEXT[],
    NULL,
    NULL,
    s.srvtype,
    s.srvversion,
    w.fdwname,
    (
        SELECT pg_catalog.array_agg(pg_catalog.regexp_replace(o.option, '^([\w.-]*(password|passwd|secret|token|key)[\w.-]*)=.*$', '\1=****') ORDER BY o.option)
        FROM pg_catalog.unnest(s.srvoptions) AS o (option)
    ),
    pg_catalog.obj_description(s.oid, 'pg_foreign_server')
FROM pg_catalog.pg_foreign_server AS s
JOIN pg_catalog.pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
WHERE NOT EXISTS (
    SELECT
    FROM pg_catalog.pg_depend AS e
    WHERE e.classid = 'pg_catalog.pg_foreign_server'::REGCLASS
      AND e.objid = s.oid
      AND e.deptype = 'e'
)
UNION ALL
SELECT
    'server',
    m.srvname,
    'user_mapping',
    CASE WHEN m.umuser = 0 THEN 'PUBLIC' ELSE m.usename END,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    -- Which options there are may be seen by few; that a mapping is there, by all.
    (
        SELECT pg_catalog.array_agg(pg_catalog.regexp_replace(o.option, '^([\w.-]*(password|passwd|secret|token|key)[\w.-]*)=.*$', '\1=****') ORDER BY o.option)
        FROM pg_catalog.unnest(m.umoptions) AS o (option)
    ),
    NULL
FROM pg_catalog.pg_user_mappings AS m

-- How is this database set up, and what is set in it for which role? Values that look like secrets are not read.
-- Server: 14.
-- Rights: none.
SELECT
    'database' AS kind,
    'this' AS name,
    pg_catalog.pg_get_userbyid(d.datdba) AS owner,
    d.datacl::TEXT[] AS privileges,
    pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
    pg_catalog.concat_ws(', ', d.datcollate, d.datctype, pg_catalog.to_jsonb(d) ->> 'daticulocale',
                         pg_catalog.to_jsonb(d) ->> 'datlocale') AS locale,
    CASE pg_catalog.to_jsonb(d) ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' END AS provider,
    CASE WHEN d.datconnlimit >= 0 THEN d.datconnlimit::INT8 END AS connection_limit,
    (
        SELECT (
            SELECT pg_catalog.array_agg(pg_catalog.regexp_replace(o.option, '^([\w.-]*(password|passwd|secret|token|key)[\w.-]*)=.*$', '\1=****') ORDER BY o.option)
            FROM pg_catalog.unnest(s.setconfig) AS o (option)
        )
        FROM pg_catalog.pg_db_role_setting AS s
        WHERE s.setdatabase = d.oid
          AND s.setrole = 0
    ) AS settings,
    pg_catalog.shobj_description(d.oid, 'pg_database') AS comment
FROM pg_catalog.pg_database AS d
WHERE d.datname = pg_catalog.current_database()
UNION ALL
SELECT
    'role_setting',
    pg_catalog.pg_get_userbyid(s.setrole),
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    (
        SELECT pg_catalog.array_agg(pg_catalog.regexp_replace(o.option, '^([\w.-]*(password|passwd|secret|token|key)[\w.-]*)=.*$', '\1=****') ORDER BY o.option)
        FROM pg_catalog.unnest(s.setconfig) AS o (option)
    ),
    NULL
FROM pg_catalog.pg_db_role_setting AS s
JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
WHERE d.datname = pg_catalog.current_database()
  AND s.setrole <> 0

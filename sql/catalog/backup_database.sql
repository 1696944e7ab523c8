-- What is this database, and what hangs on its name?
-- Server: 14.
-- Rights: none.
SELECT
    d.oid,
    d.datname::TEXT AS name,
    pg_catalog.pg_encoding_to_char(d.encoding)::TEXT AS encoding,
    d.datcollate::TEXT AS collate,
    d.datctype::TEXT AS ctype,
    CASE pg_catalog.to_jsonb(d) ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END AS locale_provider,
    COALESCE(pg_catalog.to_jsonb(d) ->> 'datlocale', pg_catalog.to_jsonb(d) ->> 'daticulocale') AS locale,
    pg_catalog.to_jsonb(d) ->> 'daticurules' AS icu_rules,
    pg_catalog.to_jsonb(d) ->> 'datcollversion' AS collation_version,
    (
        SELECT t.spcname::TEXT
        FROM pg_catalog.pg_tablespace AS t
        WHERE t.oid = d.dattablespace AND t.spcname <> 'pg_default'
    ) AS tablespace,
    (
        SELECT COALESCE(pg_catalog.array_agg(DISTINCT t.spcname::TEXT), '{}')
        FROM pg_catalog.pg_class AS c
        INNER JOIN pg_catalog.pg_tablespace AS t ON t.oid = c.reltablespace
        WHERE t.spcname NOT IN ('pg_default', 'pg_global')
    ) AS tablespaces,
    pg_catalog.pg_get_userbyid(d.datdba)::TEXT AS owner,
    pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
    d.datconnlimit AS connection_limit,
    d.datacl::TEXT[] AS acl,
    pg_catalog.pg_database_size(d.oid) AS bytes,
    pg_catalog.pg_is_in_recovery() AS standby,
    pg_catalog.current_setting('data_checksums')::BOOL AS data_checksums,
    pg_catalog.to_char(pg_catalog.transaction_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at,
    l.all_of_them AS large_objects,
    CASE WHEN pg_catalog.current_setting('is_superuser')::BOOL THEN 0 ELSE l.closed END AS closed_large_objects
FROM pg_catalog.pg_database AS d
CROSS JOIN (
    SELECT
        pg_catalog.count(*) AS all_of_them,
        pg_catalog.count(*) FILTER (
            WHERE NOT pg_catalog.pg_has_role(m.lomowner, 'USAGE')
              AND NOT EXISTS (
                  SELECT
                  FROM pg_catalog.aclexplode(m.lomacl) AS a
                  WHERE a.privilege_type = 'SELECT'
                    AND CASE WHEN a.grantee = 0 THEN TRUE ELSE pg_catalog.pg_has_role(a.grantee, 'USAGE') END
              )
        ) AS closed
    FROM pg_catalog.pg_largeobject_metadata AS m
) AS l
WHERE d.datname = pg_catalog.current_database()

-- What privileges do objects get that a role makes from now on?
-- Server: 14.
-- Rights: none.
SELECT
    'default_privileges' AS kind,
    n.nspname AS in_schema,
    pg_catalog.pg_get_userbyid(d.defaclrole) AS name,
    CASE d.defaclobjtype
        WHEN 'r' THEN ' tables'
        WHEN 'S' THEN ' sequences'
        WHEN 'f' THEN ' functions'
        WHEN 'T' THEN ' types'
        WHEN 'n' THEN ' schemas'
        WHEN 'L' THEN ' large objects'
    END AS signature,
    d.defaclacl::TEXT[] AS privileges
FROM pg_catalog.pg_default_acl AS d
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace

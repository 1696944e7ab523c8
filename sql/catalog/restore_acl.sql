-- What do these grants of a database say?
-- Server: 14.
-- Rights: none.
SELECT
    CASE a.grantee WHEN 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(a.grantee)::TEXT END AS grantee,
    a.privilege_type AS privilege,
    a.is_grantable AS grantable
FROM pg_catalog.aclexplode(NULLIF($1::TEXT[], '{}')::ACLITEM[]) AS a
ORDER BY 1, 2

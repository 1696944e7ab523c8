-- What is set for this database, and for whom in it?
-- Server: 14.
-- Rights: none.
SELECT
    CASE WHEN s.setrole <> 0 THEN pg_catalog.pg_get_userbyid(s.setrole)::TEXT END AS role,
    pg_catalog.split_part(o.option, '=', 1) AS name,
    pg_catalog.substr(o.option, pg_catalog.strpos(o.option, '=') + 1) AS value
FROM pg_catalog.pg_db_role_setting AS s
INNER JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) WITH ORDINALITY AS o (option, place)
WHERE d.datname = pg_catalog.current_database()
ORDER BY s.setrole, o.place

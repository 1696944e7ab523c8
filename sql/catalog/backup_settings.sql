-- What is set for this database, and for whom in it?
-- Server: 14.
-- Rights: none.
SELECT
    r.rolname::TEXT AS role,
    pg_catalog.split_part(o.option, '=', 1) AS name,
    pg_catalog.substr(o.option, pg_catalog.strpos(o.option, '=') + 1) AS value
FROM pg_catalog.pg_db_role_setting AS s
INNER JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) WITH ORDINALITY AS o (option, place)
WHERE d.datname = pg_catalog.current_database()
  -- Of a role that is dropped at this moment nothing is kept.
  AND (s.setrole = 0 OR r.oid IS NOT NULL)
ORDER BY s.setrole, o.place

-- What belongs to the whole server, and how is it?
-- Server: 14.
-- Rights: none; passwords are not seen.
SELECT
    'role ' || r.rolname AS thing,
    (pg_catalog.to_jsonb(r) - 'rolpassword')::text AS state
FROM pg_catalog.pg_roles AS r
UNION ALL
SELECT
    'membership of ' || pg_catalog.pg_get_userbyid(m.member) || ' in ' || pg_catalog.pg_get_userbyid(m.roleid),
    pg_catalog.string_agg(pg_catalog.to_jsonb(m)::text, ' ' ORDER BY pg_catalog.to_jsonb(m)::text)
FROM pg_catalog.pg_auth_members AS m
GROUP BY m.member, m.roleid
UNION ALL
SELECT
    pg_catalog.concat_ws(' ', 'settings of', 'role ' || r.rolname, 'database ' || d.datname),
    s.setconfig::text
FROM pg_catalog.pg_db_role_setting AS s
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
WHERE d.datname IS NULL OR d.datname NOT LIKE 'dbctl\_scratch\_%'
UNION ALL
SELECT
    'database ' || d.datname,
    pg_catalog.concat_ws(' ', d.datdba, d.datallowconn, d.datistemplate, d.datconnlimit, d.dattablespace, d.datacl)
FROM pg_catalog.pg_database AS d
WHERE d.datname NOT LIKE 'dbctl\_scratch\_%'
UNION ALL
SELECT
    'tablespace ' || t.spcname,
    pg_catalog.concat_ws(' ', t.spcowner, t.spcacl, t.spcoptions)
FROM pg_catalog.pg_tablespace AS t
UNION ALL
SELECT
    'replication slot ' || s.slot_name,
    pg_catalog.concat_ws(' ', s.plugin, s.slot_type)
FROM pg_catalog.pg_replication_slots AS s
WHERE NOT s.temporary
UNION ALL
SELECT
    'subscription ' || s.subname,
    pg_catalog.concat_ws(' ', s.subowner, s.subenabled, s.subslotname, s.subpublications)
FROM pg_catalog.pg_subscription AS s
UNION ALL
SELECT
    pg_catalog.concat_ws(' ', 'comment on', c.classoid::pg_catalog.regclass, c.objoid),
    c.description
FROM pg_catalog.pg_shdescription AS c
LEFT JOIN pg_catalog.pg_database AS d
    ON d.oid = c.objoid AND c.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass
WHERE
    c.classoid <> 'pg_catalog.pg_database'::pg_catalog.regclass
    OR d.datname NOT LIKE 'dbctl\_scratch\_%'
UNION ALL
SELECT
    'the configuration',
    pg_catalog.pg_conf_load_time()::text

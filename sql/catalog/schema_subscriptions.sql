-- What subscriptions does this database have? Their connections, which may hold secrets, are not read.
-- Server: 14.
-- Rights: none.
SELECT
    'subscription' AS kind,
    s.subname AS name,
    pg_catalog.pg_get_userbyid(s.subowner) AS owner,
    CASE WHEN NOT s.subenabled THEN 'no' END AS enabled,
    s.subpublications AS publications,
    s.subslotname AS slot,
    pg_catalog.shobj_description(s.oid, 'pg_subscription') AS comment
FROM pg_catalog.pg_subscription AS s
JOIN pg_catalog.pg_database AS d ON d.oid = s.subdbid
WHERE d.datname = pg_catalog.current_database()

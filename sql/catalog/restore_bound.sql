-- What hangs on this database by its OID and would stay with it when it is renamed?
-- Server: 14.
-- Rights: none.
SELECT pg_catalog.format('logical replication slot %I', s.slot_name) AS thing
FROM pg_catalog.pg_replication_slots AS s
WHERE s.database = $1::TEXT
UNION ALL
SELECT pg_catalog.format('subscription %I', u.subname)
FROM pg_catalog.pg_subscription AS u
INNER JOIN pg_catalog.pg_database AS d ON d.oid = u.subdbid
WHERE d.datname = $1::TEXT
ORDER BY 1

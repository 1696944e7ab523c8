-- Which databases are named like scratch databases, what marks them, and is anybody in them?
-- Server: 14.
-- Rights: none.
SELECT
    d.datname::text AS name,
    d.datconnlimit AS connection_limit,
    pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
    pg_catalog.pg_has_role(d.datdba, 'USAGE') AS owned,
    EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a WHERE a.datid = d.oid) AS in_use,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())::int8 AS now
FROM pg_catalog.pg_database AS d
WHERE d.datname LIKE 'dbctl\_scratch\_%'
ORDER BY d.datname

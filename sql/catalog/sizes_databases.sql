-- How large is this database, or ($1) every database that this role may ask about?
-- Server: 14.
-- Rights: CONNECT on each, or pg_monitor; without, the size is NULL.
SELECT
    d.datname::text AS name,
    d.datname = pg_catalog.current_database() AS here,
    CASE
        WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT')
            OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_catalog.pg_database_size(d.oid)
    END AS bytes
FROM pg_catalog.pg_database AS d
WHERE d.datallowconn AND ($1 OR d.datname = pg_catalog.current_database())
ORDER BY 3 DESC NULLS LAST, 1

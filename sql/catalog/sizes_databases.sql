-- Which database is this, or ($1) how large is every database that this role may ask about?
-- Server: 14.
-- Rights: CONNECT on each, or pg_monitor; without, the size is NULL.
-- The server looks at every file of a database for its size.
SELECT
    d.datname::text AS name,
    d.datname = pg_catalog.current_database() AS here,
    CASE
        WHEN NOT $1 THEN NULL
        WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT')
            OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_catalog.pg_database_size(d.oid)
    END AS bytes,
    pg_catalog.has_function_privilege('pg_catalog.pg_ls_dir(text,boolean,boolean)', 'EXECUTE')
    AND pg_catalog.has_function_privilege('pg_catalog.pg_stat_file(text,boolean)', 'EXECUTE') AS sees_files
FROM pg_catalog.pg_database AS d
WHERE d.datallowconn AND ($1 OR d.datname = pg_catalog.current_database())
ORDER BY 3 DESC NULLS LAST, 1

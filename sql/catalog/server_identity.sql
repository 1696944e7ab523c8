-- Which database of which running server is this, whatever address led here?
-- Server: 14.
-- Rights: none.
SELECT
    (pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()) * 1000000)::int8 AS started,
    (SELECT c.system_identifier FROM pg_catalog.pg_control_system() AS c) AS system,
    d.oid::int8 AS database
FROM pg_catalog.pg_database AS d
WHERE d.datname = pg_catalog.current_database()

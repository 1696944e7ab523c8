-- Which database of which server is this, whatever address led here?
-- Server: 14.
-- Rights: none.
SELECT
    (SELECT c.system_identifier FROM pg_catalog.pg_control_system() AS c) AS server,
    d.oid::int8 AS database
FROM pg_catalog.pg_database AS d
WHERE d.datname = pg_catalog.current_database()

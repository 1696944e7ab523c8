-- How many bytes does this database take, and how many has it put into temporary files so far?
-- Server: 14.
-- Rights: none.
SELECT
    -- Null without the right to connect, which whoever asks has used.
    CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT') THEN pg_catalog.pg_database_size(d.oid) END AS database,
    pg_catalog.pg_stat_get_db_temp_bytes(d.oid) AS temporary
FROM pg_catalog.pg_database AS d
WHERE d.datname = pg_catalog.current_database()

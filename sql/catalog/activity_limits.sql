-- How many connections may there be, and is this a standby?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.current_setting('max_connections')::int8 AS max_connections,
    pg_catalog.current_database()::text AS database,
    pg_catalog.pg_is_in_recovery() AS standby

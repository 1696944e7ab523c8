-- Where and when are rows read, and of which version are the server and its vectors?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.current_database()::text AS database,
    pg_catalog.current_setting('server_encoding') AS encoding,
    pg_catalog.current_setting('server_version') AS version,
    pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
    pg_catalog.pg_current_snapshot()::text AS snapshot,
    (SELECT e.extversion FROM pg_catalog.pg_extension AS e WHERE e.extname = 'vector') AS vector

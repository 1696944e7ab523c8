-- What does every look at a server need to know of it?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.current_database()::text AS database,
    pg_catalog.current_setting('server_version_num')::int8 / 10000 AS major,
    pg_catalog.pg_is_in_recovery() AS standby,
    pg_catalog.current_setting('max_connections')::int8 AS max_connections,
    pg_catalog.current_setting('superuser_reserved_connections')::int8
    + COALESCE(pg_catalog.current_setting('reserved_connections', TRUE), '0')::int8 AS reserved,
    (
        SELECT pg_catalog.count(*)
        FROM pg_catalog.pg_stat_activity AS a
        -- What the role may not see has no type, but a database.
        WHERE a.backend_type = 'client backend' OR (a.backend_type IS NULL AND a.datid IS NOT NULL)
    ) AS connections,
    pg_catalog.current_setting('autovacuum_freeze_max_age')::int8 AS xid_freeze_max_age,
    pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::int8 AS mxid_freeze_max_age,
    pg_catalog.current_setting('autovacuum_max_workers')::int8 AS workers,
    pg_catalog.current_setting('autovacuum')::bool AS autovacuum,
    pg_catalog.current_setting('fsync')::bool AS fsync,
    pg_catalog.current_setting('full_page_writes')::bool AS full_page_writes,
    pg_catalog.current_setting('data_checksums') = 'on' AS data_checksums,
    pg_catalog.inet_server_addr() IS NULL AS by_socket,
    ARRAY(
        SELECT pg_catalog.pg_tablespace_location(t.oid)
        FROM pg_catalog.pg_tablespace AS t
        WHERE pg_catalog.pg_tablespace_location(t.oid) <> ''
        ORDER BY 1
    ) AS tablespaces,
    pg_catalog.date_part('epoch', pg_catalog.now() - pg_catalog.pg_postmaster_start_time())::float8 AS uptime_seconds

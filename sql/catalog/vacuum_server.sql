-- Which settings decide what is due, and are there standbys whose queries a truncation would cancel?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.current_setting('autovacuum_freeze_max_age')::int8 AS xid_most,
    pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::int8 AS mxid_most,
    pg_catalog.current_setting('vacuum_failsafe_age')::int8 AS failsafe,
    (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication) AS standbys,
    pg_catalog.current_setting('maintenance_work_mem') AS maintenance_work_mem,
    pg_catalog.current_database()::text AS database,
    current_user::text AS role

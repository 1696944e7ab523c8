-- How far has each standby replayed?
-- Server: 14.
-- Rights: pg_monitor, else the answers are NULL.
SELECT
    r.pid,
    r.application_name AS name,
    (r.replay_lsn - '0/0'::pg_catalog.pg_lsn)::int8 AS replayed,
    pg_catalog.date_part('epoch', r.replay_lag)::float8 AS replay_lag
FROM pg_catalog.pg_stat_replication AS r
WHERE r.state IS DISTINCT FROM 'backup'
ORDER BY r.pid

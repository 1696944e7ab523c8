-- How often did the logical subscriptions of this database fail?
-- Server: 15.
-- Rights: none.
SELECT
    e.subname::text AS name,
    e.apply_error_count AS apply_errors,
    e.sync_error_count AS sync_errors
FROM pg_catalog.pg_stat_subscription_stats AS e
INNER JOIN pg_catalog.pg_subscription AS s ON s.oid = e.subid
WHERE
    s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
    AND e.apply_error_count + e.sync_error_count > 0
ORDER BY e.subname

-- When was each index of this database used last?
-- Server: 16.
-- Rights: none.
SELECT i.indexrelid AS oid, pg_catalog.pg_stat_get_lastscan(i.indexrelid) AS last_scan
FROM pg_catalog.pg_index AS i
WHERE i.indexrelid >= 16384 AND pg_catalog.pg_stat_get_lastscan(i.indexrelid) IS NOT NULL

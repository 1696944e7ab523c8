-- Was this database made with another version of its collation's library than the one that is there?
-- Server: 15.
-- Rights: none.
SELECT
    pg_catalog.format('database %I', d.datname) AS object,
    d.datcollversion AS recorded,
    pg_catalog.pg_database_collation_actual_version(d.oid) AS actual,
    pg_catalog.format('ALTER DATABASE %I REFRESH COLLATION VERSION', d.datname) AS remedy
FROM pg_catalog.pg_database AS d
WHERE
    d.datname = pg_catalog.current_database()
    AND d.datcollversion <> pg_catalog.pg_database_collation_actual_version(d.oid)

-- In which folders of the server do these tables lie?
-- Server: 14.
-- Rights: pg_read_all_settings to see where the data lies.
SELECT
    c.oid,
    COALESCE(
        NULLIF(pg_catalog.pg_tablespace_location(COALESCE(NULLIF(c.reltablespace, 0), d.dattablespace)), ''),
        CASE
            WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE') THEN pg_catalog.current_setting('data_directory')
        END
    ) AS place
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_database AS d ON d.datname = pg_catalog.current_database()
WHERE c.oid = ANY ($1)
ORDER BY c.oid

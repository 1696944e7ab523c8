-- Is there a database, tablespace or subscription of this name?
-- Server: 14.
-- Rights: none.
SELECT
    CASE $1::text
        WHEN 'database' THEN EXISTS (SELECT FROM pg_catalog.pg_database AS d WHERE d.datname = $2::text)
        WHEN 'tablespace' THEN EXISTS (SELECT FROM pg_catalog.pg_tablespace AS t WHERE t.spcname = $2::text)
        ELSE EXISTS (
            SELECT
            FROM pg_catalog.pg_stat_subscription AS s
            WHERE s.subname = $2::text
        )
    END AS found

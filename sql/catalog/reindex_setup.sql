-- Whom does each commit wait for, and where does the data lie?
-- Server: 14.
-- Rights: pg_read_all_settings to see where the data lies.
SELECT
    CASE
        WHEN pg_catalog.current_setting('synchronous_commit') IN ('off', 'local') THEN ''
        ELSE pg_catalog.current_setting('synchronous_standby_names')
    END AS confirming,
    CASE
        WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE') THEN pg_catalog.current_setting('data_directory')
    END AS data_directory

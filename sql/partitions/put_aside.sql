-- Puts a detached partition aside: its rows are kept for the grace, nobody but its owner sees them.
DO $$
BEGIN
    -- IF NOT EXISTS would ask for the right to create schemas even where the schema is there.
    IF pg_catalog.to_regnamespace('dbctl_trash') IS NULL THEN
        CREATE SCHEMA dbctl_trash;
    END IF;
END;
$$;
ALTER TABLE {partition} RENAME TO {aside};
ALTER TABLE {renamed} SET SCHEMA dbctl_trash;

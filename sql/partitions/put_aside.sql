-- Puts a detached partition aside: its rows are kept for the grace, nobody but its owner sees them. Names of indexes
-- are unique in a schema as those of tables are: their oids keep them apart.
DO $$
DECLARE
    v_index oid;
BEGIN
    -- IF NOT EXISTS would ask for the right to create schemas even where the schema is there.
    IF pg_catalog.to_regnamespace('dbctl_trash') IS NULL THEN
        CREATE SCHEMA dbctl_trash;
    END IF;
    FOR v_index IN
        SELECT x.indexrelid
        FROM pg_catalog.pg_index AS x
        WHERE x.indrelid = {literal}::pg_catalog.regclass
    LOOP
        EXECUTE (
            SELECT pg_catalog.format('ALTER INDEX %s RENAME TO %I', v_index::pg_catalog.regclass, 'p' || v_index || '_' || c.relname)
            FROM pg_catalog.pg_class AS c
            WHERE c.oid = v_index
        );
    END LOOP;
END;
$$;
ALTER TABLE {partition} RENAME TO {aside};
ALTER TABLE {renamed} SET SCHEMA dbctl_trash;

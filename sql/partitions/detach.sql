-- Takes a partition out of {parent}, which is locked for a change of the catalog. The one that was meant, never another
-- that has come to have its name: the oid decides.
ALTER TABLE {parent} DETACH PARTITION {partition};
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = {oid}) THEN
        RAISE EXCEPTION 'another table has come to have the name of the partition with oid {oid}: nothing is detached'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END;
$$;

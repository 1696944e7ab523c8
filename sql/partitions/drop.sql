-- Drops the table that was meant, never another that has come to have its name: the oid decides.
DROP TABLE {partition};
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = {oid}) THEN
        RAISE EXCEPTION 'another table has come to have the name of the partition with oid {oid}: nothing is dropped'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END;
$$;

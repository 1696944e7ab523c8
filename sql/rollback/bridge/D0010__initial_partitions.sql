-- bridge D0010: undoes V0010: the partitioned tables are left without partitions. Every partition goes, also those
--               made since, and the rows of activity_mappings, stage_change_logs and audit_logs are lost with them.
-- Lock: ACCESS EXCLUSIVE on the three tables and their partitions, held for catalog changes only.

DO $$
DECLARE
    v_partition REGCLASS;
BEGIN
    FOR v_partition IN
        SELECT i.inhrelid::REGCLASS
        FROM pg_catalog.pg_inherits AS i
        WHERE i.inhparent IN ('activity_mappings'::REGCLASS, 'stage_change_logs'::REGCLASS, 'audit_logs'::REGCLASS)
        ORDER BY i.inhparent, i.inhrelid
    LOOP
        EXECUTE format('DROP TABLE %s', v_partition);
    END LOOP;
END;
$$;

-- No message is left, so no message id is taken.
TRUNCATE activity_message_keys;

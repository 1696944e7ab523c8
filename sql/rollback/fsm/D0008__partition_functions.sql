-- fsm D0008: undoes V0008: the functions go, and the partitioned tables are left without partitions. Every partition
--            goes, also those made since, and the rows of tasks, notifications, events, page_views and audit_log are
--            lost with them; so are all comments, and the attachments of tasks.
-- Lock: ACCESS EXCLUSIVE on the five tables, their partitions and the tables that their foreign keys point to, held
--       for catalog changes and for the deletion of comments and attachments.

DELETE FROM app.attachments WHERE task_id IS NOT NULL;
DELETE FROM app.comments;

DO $$
DECLARE
    v_partition REGCLASS;
BEGIN
    FOR v_partition IN
        SELECT i.inhrelid::REGCLASS
        FROM pg_catalog.pg_inherits AS i
        WHERE i.inhparent IN (
            'app.tasks'::REGCLASS, 'app.notifications'::REGCLASS, 'analytics.events'::REGCLASS,
            'analytics.page_views'::REGCLASS, 'audit.audit_log'::REGCLASS
        )
        ORDER BY i.inhparent, i.inhrelid
    LOOP
        EXECUTE format('DROP TABLE %s', v_partition);
    END LOOP;
END;
$$;

DROP FUNCTION public.maintain_partitions();
DROP FUNCTION public.drop_old_partitions(TEXT, TEXT, INTEGER);
DROP FUNCTION public.create_monthly_partitions(TEXT, TEXT, INTEGER);
DROP FUNCTION public.create_partition(TEXT, TEXT, DATE, DATE);
DROP FUNCTION app.purge_task_children(INTEGER);
DROP FUNCTION app.delete_children_of_partition(REGCLASS);
DROP FUNCTION public.drop_expired_partitions(REGCLASS, TIMESTAMPTZ);
DROP FUNCTION public.ensure_range_partitions(REGCLASS, TEXT, TIMESTAMPTZ, TIMESTAMPTZ);
DROP FUNCTION public.attach_new_partition(REGCLASS, NAME, NAME, TIMESTAMPTZ, TIMESTAMPTZ);
DROP FUNCTION public.partition_storage_parameters(REGCLASS);
DROP FUNCTION public.list_expired_partitions(REGCLASS, TIMESTAMPTZ);
DROP FUNCTION public.list_range_partitions(REGCLASS);

-- chat D0010: undoes V0010, the retention functions and the archive. What is archived goes back to messages first: no
--             message is lost. The partitions that the functions made stay.
-- Lock: ACCESS EXCLUSIVE on messages, messages_archive, chat_rooms, users and message_keys, for a scan of what is archived.

DO $$
DECLARE
    v_archived RECORD;
BEGIN
    FOR v_archived IN
        SELECT i.inhrelid::REGCLASS AS partition, pg_get_expr(c.relpartbound, c.oid) AS bounds
        FROM pg_catalog.pg_inherits AS i
        JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'messages_archive'::REGCLASS
    LOOP
        EXECUTE format('ALTER TABLE messages_archive DETACH PARTITION %s', v_archived.partition);
        EXECUTE format('ALTER TABLE messages ATTACH PARTITION %s %s', v_archived.partition, v_archived.bounds);
    END LOOP;
END;
$$;

DROP FUNCTION erase_user_data(UUID);
DROP FUNCTION cleanup_history(INTEGER, INTEGER);
DROP FUNCTION purge_message_keys(INTEGER, INTEGER);
DROP FUNCTION drop_archived_messages(INTEGER);
DROP FUNCTION archive_old_messages(INTEGER);
DROP FUNCTION create_monthly_partitions(INTEGER);
DROP FUNCTION ensure_range_partitions(REGCLASS, TEXT, TIMESTAMPTZ, TIMESTAMPTZ);
DROP FUNCTION list_expired_partitions(REGCLASS, TIMESTAMPTZ);
DROP FUNCTION list_range_partitions(REGCLASS);
DROP TABLE messages_archive;

-- chat D0011: undoes V0011: every partition of messages that is empty goes, also one made since. One that holds messages
--             stays, so that nothing that hangs on them is lost; D0004 drops it with messages.
-- Lock: ACCESS EXCLUSIVE on messages, chat_rooms, users and message_keys, held for catalog changes only.

DO $$
DECLARE
    v_partition REGCLASS;
    v_holds_rows BOOLEAN;
BEGIN
    FOR v_partition IN
        SELECT i.inhrelid::REGCLASS
        FROM pg_catalog.pg_inherits AS i
        WHERE i.inhparent = 'messages'::REGCLASS
        ORDER BY i.inhrelid
    LOOP
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', v_partition);
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', v_partition) INTO v_holds_rows;
        IF v_holds_rows THEN
            RAISE NOTICE 'partition % stays: it holds messages', v_partition;
        ELSE
            EXECUTE format('DROP TABLE %s', v_partition);
        END IF;
    END LOOP;
END;
$$;

-- check: every table has its primary key, time zones in every time column, an index for every foreign key, and no index twice.

DO $$
DECLARE
    v_tables REGCLASS[] := ARRAY[
        'users', 'access_permission_domains', 'user_access_permissions', 'chat_rooms', 'room_participants',
        'messages', 'messages_archive', 'message_keys', 'chat_file_attachments', 'robot_interactions', 'escalations',
        'users_history', 'chat_rooms_history', 'room_participants_history', 'messages_history',
        'chat_file_attachments_history', 'robot_interactions_history', 'escalations_history'
    ]::REGCLASS[];
    v_found TEXT;
BEGIN
    SELECT string_agg(t.oid::REGCLASS::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_class AS t
    WHERE t.oid = ANY (v_tables)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = t.oid AND i.indisprimary AND i.indisvalid);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: no primary key on %', v_found;
    END IF;

    SELECT string_agg(format('%s.%I %s', a.attrelid::REGCLASS, a.attname, format_type(a.atttypid, a.atttypmod)), ', ')
    INTO v_found
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = ANY (v_tables)
      AND a.attnum > 0
      AND format_type(a.atttypid, a.atttypmod) ~ '^(timestamp|date)'
      AND format_type(a.atttypid, a.atttypmod) <> 'timestamp with time zone';
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: time columns that are not TIMESTAMPTZ: %', v_found;
    END IF;

    SELECT string_agg(format('%s = %s', i.indexrelid::REGCLASS, j.indexrelid::REGCLASS), ', ') INTO v_found
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_index AS j
      ON j.indrelid = i.indrelid
     AND j.indexrelid > i.indexrelid
     AND j.indkey::TEXT = i.indkey::TEXT
     AND j.indoption::TEXT = i.indoption::TEXT
     AND pg_get_expr(j.indpred, j.indrelid) IS NOT DISTINCT FROM pg_get_expr(i.indpred, i.indrelid)
    WHERE i.indrelid = ANY (v_tables);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: the same index twice: %', v_found;
    END IF;

    SELECT string_agg(i.indexrelid::REGCLASS::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_index AS i
    WHERE i.indrelid = ANY (v_tables)
      AND NOT i.indisvalid;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: invalid index %', v_found;
    END IF;

    -- An index serves a foreign key if its first column is the key's, for all rows in which the key is not null.
    SELECT string_agg(format('%s on %s', c.conname, c.conrelid::REGCLASS), ', ') INTO v_found
    FROM pg_catalog.pg_constraint AS c
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f'
      AND c.conrelid = ANY (v_tables)
      AND NOT EXISTS (
          SELECT
          FROM pg_catalog.pg_index AS i
          WHERE i.indrelid = c.conrelid
            AND i.indkey[0] = c.conkey[1]
            AND COALESCE(pg_get_expr(i.indpred, i.indrelid), '') IN ('', format('(%I IS NOT NULL)', a.attname))
      );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: foreign keys without index: %', v_found;
    END IF;

    IF (SELECT pg_get_partkeydef('messages'::REGCLASS)) <> 'RANGE (created_at)'
       OR (SELECT pg_get_partkeydef('messages_archive'::REGCLASS)) <> 'RANGE (created_at)' THEN
        RAISE EXCEPTION 'check failed: messages and messages_archive are not partitioned by created_at';
    END IF;
END;
$$;

-- The indexes that the design names, by what they index, and the labels of its types.
DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(w.name, ', ') INTO v_found
    FROM (VALUES
        ('idx_messages_room_created_at', 'messages', '(room_id, created_at DESC)'),
        ('idx_messages_sender_created_at', 'messages', '(sender_id, created_at DESC)'),
        ('idx_messages_type_room', 'messages', '(message_type, room_id) WHERE (deleted_at IS NULL)'),
        ('idx_room_participants_user_active', 'room_participants', '(user_id) WHERE (status = ''active''::participant_status_enum)'),
        ('idx_room_participants_room_active', 'room_participants', '(room_id) WHERE (status = ''active''::participant_status_enum)'),
        ('idx_users_status_last_seen', 'users', '(current_status, last_seen_at)'),
        ('idx_robot_interactions_status', 'robot_interactions', '(status, created_at)'),
        ('idx_robot_interactions_robot_id', 'robot_interactions', '(robot_id, created_at DESC)'),
        ('idx_chat_file_attachments_message', 'chat_file_attachments', '(message_id)'),
        ('idx_chat_file_attachments_owner', 'chat_file_attachments', '(owner_id, created_at DESC)')
    ) AS w (name, relation, definition)
    WHERE NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = w.relation::REGCLASS
          AND right(pg_get_indexdef(i.indexrelid), length(w.definition)) = w.definition
    );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: missing indexes: %', v_found;
    END IF;

    SELECT string_agg(format('%s of %s', l.label, w.name), ', ') INTO v_found
    FROM (VALUES
        ('user_account_type_informal_enum', 'guest'),
        ('user_account_status_enum', 'pending-verification'),
        ('room_type_enum', 'group direct support escalated'),
        ('room_status_enum', 'active archived closed'),
        ('participant_role_enum', 'member moderator observer guest'),
        ('participant_status_enum', 'active muted removed left'),
        ('message_type_enum', 'chat robot system file image graph'),
        ('delivery_status_enum', 'streaming batch-delay delivered failed'),
        ('robot_status_enum', 'pending processing completed failed'),
        ('escalation_status_enum', 'created assigned in_progress resolved cancelled'),
        ('support_level_enum', 'T1 T2 T3 manager')
    ) AS w (name, labels)
    CROSS JOIN LATERAL unnest(string_to_array(w.labels, ' ')) AS l (label)
    WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = w.name::REGTYPE AND e.enumlabel = l.label
    );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: missing labels: %', v_found;
    END IF;
END;
$$;

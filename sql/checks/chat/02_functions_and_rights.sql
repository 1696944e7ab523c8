-- check: every function is bound to its schema, only the named ones run with their owner's rights, and each role has the rights it needs and no more.

DO $$
DECLARE
    v_definer REGPROCEDURE[] := ARRAY[
        'enforce_room_admission()', 'track_message_key()', 'erase_user_data(UUID)',
        'log_users_changes()', 'log_chat_rooms_changes()', 'log_room_participants_changes()', 'log_messages_changes()',
        'log_chat_file_attachments_changes()', 'log_robot_interactions_changes()', 'log_escalations_changes()',
        'signed_in_user_id()', 'has_permission(TEXT)', 'my_rooms()', 'my_founded_rooms()', 'is_open_room(UUID)',
        'my_contacts()', 'get_my_account()', 'refresh_room_activity_stats()'
    ]::REGPROCEDURE[];
    v_invoker REGPROCEDURE[] := ARRAY[
        'user_has_permission(UUID, TEXT)', 'list_range_partitions(REGCLASS)', 'list_expired_partitions(REGCLASS, TIMESTAMPTZ)',
        'ensure_range_partitions(REGCLASS, TEXT, TIMESTAMPTZ, TIMESTAMPTZ)', 'create_monthly_partitions(INTEGER)',
        'archive_old_messages(INTEGER)', 'drop_archived_messages(INTEGER)', 'purge_message_keys(INTEGER, INTEGER)',
        'cleanup_history(INTEGER, INTEGER)', 'guard_own_participation()', 'guard_others_message()',
        'require_signed_in_user()', 'create_room(TEXT, room_type_enum, BOOLEAN, BOOLEAN, INTEGER)',
        'send_message(UUID, TEXT, message_type_enum, UUID, JSONB)', 'get_room_messages(UUID, INTEGER, TIMESTAMPTZ, UUID)',
        'mark_room_read(UUID, TIMESTAMPTZ)', 'get_unread_counts()', 'leave_room(UUID)', 'conclude_room(UUID, TEXT)',
        'escalate_room(UUID, TEXT, support_level_enum, support_level_enum, INTEGER)'
    ]::REGPROCEDURE[];
    v_found TEXT;
BEGIN
    -- pg_temp named last: unnamed, temporary tables would be found before the real ones.
    SELECT string_agg(p.oid::REGPROCEDURE::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.oid = ANY (v_definer || v_invoker)
      AND format('search_path=%I, pg_temp', n.nspname) <> ALL (COALESCE(p.proconfig, '{}'));
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: search_path is not bound to the function''s schema: %', v_found;
    END IF;

    SELECT string_agg(p.oid::REGPROCEDURE::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_proc AS p
    WHERE p.oid = ANY (v_definer || v_invoker)
      AND p.prosecdef <> (p.oid = ANY (v_definer));
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: SECURITY DEFINER and INVOKER are swapped: %', v_found;
    END IF;

    SELECT string_agg(f.f::TEXT, ', ') INTO v_found
    FROM unnest(v_definer) AS f (f)
    WHERE has_function_privilege('public', f.f, 'EXECUTE');
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: everybody may run with the owner''s rights: %', v_found;
    END IF;

    SELECT string_agg(f.f::TEXT, ', ') INTO v_found
    FROM unnest(ARRAY['erase_user_data(UUID)', 'refresh_room_activity_stats()', 'user_has_permission(UUID, TEXT)']::REGPROCEDURE[]) AS f (f)
    WHERE has_function_privilege('chat_app', f.f, 'EXECUTE')
       OR NOT has_function_privilege('chat_service', f.f, 'EXECUTE');
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: not for chat_service alone: %', v_found;
    END IF;
END;
$$;

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
    SELECT string_agg(c.oid::REGCLASS::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_class AS c
    WHERE (c.oid = ANY (v_tables)
           OR c.oid IN (SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = ANY (v_tables)) AND c.relkind = 'r')
      AND NOT c.relrowsecurity;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: no row level security on %', v_found;
    END IF;

    SELECT string_agg(c.oid::REGCLASS::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = ANY (v_tables)
      AND c.relforcerowsecurity;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: forced row level security, under which the policies call themselves: %', v_found;
    END IF;

    SELECT string_agg(t.t::TEXT, ', ') INTO v_found
    FROM unnest(v_tables) AS t (t)
    WHERE has_table_privilege('chat_app', t.t, 'DELETE')
       OR has_table_privilege('chat_app', t.t, 'TRUNCATE')
       OR has_table_privilege('chat_service', t.t, 'TRUNCATE')
       OR has_any_column_privilege('public', t.t, 'SELECT')
       OR t.t::TEXT ~ '_history$|_archive$' AND (
              has_any_column_privilege('chat_app', t.t, 'INSERT, UPDATE')
              OR has_any_column_privilege('chat_service', t.t, 'INSERT, UPDATE')
              OR has_table_privilege('chat_service', t.t, 'DELETE'));
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: somebody may too much on %', v_found;
    END IF;

    SELECT string_agg(format('%s.%s', w.relation, w.name), ', ') INTO v_found
    FROM (VALUES
        ('users', 'password_hash', 'SELECT'), ('users', 'email', 'SELECT'), ('users', 'password_hash', 'UPDATE'),
        ('users', 'account_type_informal', 'UPDATE'), ('users', 'current_account_status', 'UPDATE'), ('users', 'username', 'INSERT'),
        ('chat_rooms', 'creator_id', 'UPDATE'), ('room_participants', 'room_id', 'UPDATE'), ('room_participants', 'user_id', 'UPDATE'),
        ('messages', 'sender_id', 'UPDATE'), ('messages', 'room_id', 'UPDATE'), ('messages', 'created_at', 'UPDATE'),
        ('user_access_permissions', 'action', 'INSERT'), ('user_access_permissions', 'action', 'UPDATE'),
        ('message_keys', 'id', 'SELECT'), ('message_keys', 'id', 'INSERT'), ('robot_interactions', 'status', 'UPDATE')
    ) AS w (relation, name, privilege)
    WHERE has_column_privilege('chat_app', w.relation, w.name, w.privilege);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: chat_app may too much on %', v_found;
    END IF;

    IF EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname IN ('chat_app', 'chat_service') AND (r.rolsuper OR r.rolbypassrls)) THEN
        RAISE EXCEPTION 'check failed: no policy holds for chat_app or chat_service';
    END IF;
    IF has_table_privilege('chat_app', 'room_activity_stats', 'SELECT') OR NOT has_table_privilege('chat_service', 'room_activity_stats', 'SELECT') THEN
        RAISE EXCEPTION 'check failed: room_activity_stats, which knows no row level security, is not for chat_service alone';
    END IF;

    SELECT string_agg(t.t::TEXT, ', ') INTO v_found
    FROM unnest(v_tables) AS t (t)
    WHERE t.t <> 'message_keys'::REGCLASS
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy AS p WHERE p.polrelid = t.t);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: no policy on %', v_found;
    END IF;
END;
$$;

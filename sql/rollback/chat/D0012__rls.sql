-- chat D0012: undoes V0012: policies, the rights of chat_app and chat_service, and row level security.
-- Lock: ACCESS EXCLUSIVE on every table and partition, held for catalog changes only.

DROP POLICY supervisor_select ON escalations_history;
DROP POLICY supervisor_select ON robot_interactions_history;
DROP POLICY supervisor_select ON chat_file_attachments_history;
DROP POLICY supervisor_select ON messages_history;
DROP POLICY supervisor_select ON room_participants_history;
DROP POLICY supervisor_select ON chat_rooms_history;
DROP POLICY supervisor_select ON users_history;
DROP POLICY app_update ON escalations;
DROP POLICY app_insert ON escalations;
DROP POLICY app_select ON escalations;
DROP POLICY app_select ON robot_interactions;
DROP POLICY app_update ON chat_file_attachments;
DROP POLICY app_insert ON chat_file_attachments;
DROP POLICY app_select ON chat_file_attachments;
DROP POLICY app_select ON messages_archive;
DROP POLICY app_update ON messages;
DROP POLICY app_insert ON messages;
DROP POLICY app_select ON messages;
DROP POLICY app_update ON room_participants;
DROP POLICY app_insert_self ON room_participants;
DROP POLICY app_insert_invited ON room_participants;
DROP POLICY app_insert_moderator ON room_participants;
DROP POLICY app_select ON room_participants;
DROP POLICY app_update ON chat_rooms;
DROP POLICY app_insert ON chat_rooms;
DROP POLICY app_select ON chat_rooms;
DROP POLICY app_select ON user_access_permissions;
DROP POLICY app_select ON access_permission_domains;
DROP POLICY app_update ON users;
DROP POLICY app_select ON users;
DROP POLICY service_select ON escalations_history;
DROP POLICY service_select ON robot_interactions_history;
DROP POLICY service_select ON chat_file_attachments_history;
DROP POLICY service_select ON messages_history;
DROP POLICY service_select ON room_participants_history;
DROP POLICY service_select ON chat_rooms_history;
DROP POLICY service_select ON users_history;
DROP POLICY service_select ON messages_archive;
DROP POLICY service_all ON escalations;
DROP POLICY service_all ON robot_interactions;
DROP POLICY service_all ON chat_file_attachments;
DROP POLICY service_all ON messages;
DROP POLICY service_all ON room_participants;
DROP POLICY service_all ON chat_rooms;
DROP POLICY service_all ON user_access_permissions;
DROP POLICY service_all ON access_permission_domains;
DROP POLICY service_all ON users;

DO $$
DECLARE
    v_table REGCLASS;
BEGIN
    FOR v_table IN
        SELECT i.inhrelid::REGCLASS
        FROM pg_catalog.pg_inherits AS i
        WHERE i.inhparent IN ('messages'::REGCLASS, 'messages_archive'::REGCLASS)
    LOOP
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', v_table);
    END LOOP;

    -- Also what was granted on columns.
    FOREACH v_table IN ARRAY ARRAY[
        'users', 'access_permission_domains', 'user_access_permissions', 'chat_rooms', 'room_participants',
        'messages', 'messages_archive', 'message_keys', 'chat_file_attachments', 'robot_interactions',
        'escalations', 'users_history', 'chat_rooms_history', 'room_participants_history', 'messages_history',
        'chat_file_attachments_history', 'robot_interactions_history', 'escalations_history'
    ]::REGCLASS[] LOOP
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('REVOKE ALL ON TABLE %s FROM chat_app, chat_service', v_table);
    END LOOP;

    IF pg_has_role((SELECT n.nspowner FROM pg_catalog.pg_namespace AS n WHERE n.nspname = current_schema()), 'USAGE') THEN
        EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM chat_app, chat_service', current_schema());
    END IF;
END;
$$;

REVOKE EXECUTE ON FUNCTION user_has_permission(UUID, TEXT), erase_user_data(UUID) FROM chat_service;

DROP TRIGGER guard_others_message_trigger ON messages;
DROP TRIGGER guard_own_participation_trigger ON room_participants;
DROP FUNCTION guard_others_message();
DROP FUNCTION guard_own_participation();
DROP FUNCTION get_my_account();
DROP FUNCTION my_contacts();
DROP FUNCTION is_open_room(UUID);
DROP FUNCTION my_founded_rooms();
DROP FUNCTION my_rooms();
DROP FUNCTION has_permission(TEXT);
DROP FUNCTION signed_in_user_id();

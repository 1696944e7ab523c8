-- chat D0001: undoes V0001. The extension uuid-ossp goes only if V0001 installed it, and if nothing else uses it.
--             The roles chat_app and chat_service stay: they belong to the cluster, and other databases may use them.
--             Where none does: DROP ROLE chat_app, chat_service.
-- Lock: none on any table; types and functions only.

DROP FUNCTION reject_change();
DROP FUNCTION set_updated_at();
DROP FUNCTION current_app_user_id();
DROP FUNCTION pin_search_path(REGPROCEDURE);

DROP TYPE support_level_enum;
DROP TYPE escalation_status_enum;
DROP TYPE robot_status_enum;
DROP TYPE delivery_status_enum;
DROP TYPE message_type_enum;
DROP TYPE participant_status_enum;
DROP TYPE participant_role_enum;
DROP TYPE room_status_enum;
DROP TYPE room_type_enum;
DROP TYPE user_account_status_enum;
DROP TYPE user_account_type_informal_enum;

DO $$
BEGIN
    IF EXISTS (
        SELECT
        FROM pg_catalog.pg_extension AS e
        WHERE e.extname = 'uuid-ossp'
          AND obj_description(e.oid, 'pg_extension') = 'generate universally unique identifiers (UUIDs) (made by chat V0001)'
    ) THEN
        BEGIN
            DROP EXTENSION "uuid-ossp";
        EXCEPTION WHEN dependent_objects_still_exist THEN
            COMMENT ON EXTENSION "uuid-ossp" IS 'generate universally unique identifiers (UUIDs)';
            RAISE NOTICE 'extension uuid-ossp stays: objects that are not of chat use it';
        END;
    END IF;
END;
$$;

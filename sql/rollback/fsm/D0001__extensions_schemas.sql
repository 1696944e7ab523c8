-- fsm D0001: undoes V0001. The role fsm_app stays: it belongs to the cluster and other databases may use it
--            (once none does: DROP ROLE fsm_app). Schemas and extensions stay if V0001 found them, or if something of
--            others lies in them or depends on them.
-- Lock: none on any table of fsm.

DO $$
DECLARE
    v_schema TEXT;
BEGIN
    FOREACH v_schema IN ARRAY ARRAY['audit', 'analytics', 'app', 'auth'] LOOP
        CONTINUE WHEN obj_description(to_regnamespace(v_schema), 'pg_namespace') IS DISTINCT FROM 'made by fsm V0001';
        BEGIN
            EXECUTE format('DROP SCHEMA %I', v_schema);
        EXCEPTION WHEN dependent_objects_still_exist THEN
            RAISE WARNING 'schema "%" stays: something that is not fsm''s lies in it', v_schema;
        END;
    END LOOP;
END;
$$;

DO $$
DECLARE
    v_extension TEXT;
BEGIN
    FOR v_extension IN
        SELECT e.extname
        FROM pg_catalog.pg_extension AS e
        WHERE e.extname IN ('uuid-ossp', 'pgcrypto', 'pg_trgm', 'btree_gin', 'btree_gist')
          AND obj_description(e.oid, 'pg_extension') = 'made by fsm V0001'
        ORDER BY e.extname
    LOOP
        BEGIN
            EXECUTE format('DROP EXTENSION %I', v_extension);
        EXCEPTION WHEN dependent_objects_still_exist THEN
            RAISE WARNING 'extension "%" stays: something that is not fsm''s depends on it', v_extension;
        END;
    END LOOP;
END;
$$;

-- fsm V0001: server version, extensions, the application's role, the four schemas.
-- Lock: none on any table.

-- UNIQUE NULLS NOT DISTINCT, which keeps a sales order from arriving twice (V0017), came with 15.
DO $$
BEGIN
    IF current_setting('server_version_num')::INT < 150000 THEN
        RAISE EXCEPTION 'fsm needs PostgreSQL 15 or later, this server is %', current_setting('server_version')
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'upgrade the server, or choose another system: dbctl migrate systems';
    END IF;
END;
$$;

-- Only extensions that this file makes get its comment, and only those are dropped by D0001.
-- No table depends on one (ids come from gen_random_uuid(), which is built in). That is why a server whose uuid-ossp
-- cannot be loaded is warned about and accepted; the other four come with every server package.
DO $$
DECLARE
    v_extension TEXT;
BEGIN
    FOREACH v_extension IN ARRAY ARRAY['uuid-ossp', 'pgcrypto', 'pg_trgm', 'btree_gin', 'btree_gist'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_catalog.pg_extension AS e WHERE e.extname = v_extension);

        BEGIN
            EXECUTE format('CREATE EXTENSION %I WITH SCHEMA public', v_extension);
            EXECUTE format('COMMENT ON EXTENSION %I IS %L', v_extension, 'made by fsm V0001');
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'role "%" may not create the extension "%": %', current_user, v_extension, SQLERRM
                    USING ERRCODE = 'insufficient_privilege',
                          HINT = format('as superuser: CREATE EXTENSION %I WITH SCHEMA public', v_extension);
            WHEN undefined_file OR feature_not_supported OR undefined_object THEN
                IF v_extension <> 'uuid-ossp' THEN
                    RAISE EXCEPTION 'the server cannot load the extension "%": %', v_extension, SQLERRM
                        USING ERRCODE = SQLSTATE,
                              HINT = 'install the contrib modules of the server''s version (Debian: postgresql-contrib)';
                END IF;
                RAISE WARNING 'the server cannot load the extension "uuid-ossp": %', SQLERRM
                    USING HINT = 'nothing in fsm needs it; an application that calls uuid_generate_v4() does: '
                                 'install libossp-uuid16, then CREATE EXTENSION "uuid-ossp" WITH SCHEMA public';
        END;
    END LOOP;
END;
$$;

-- A role belongs to the whole cluster: made where missing, taken as it is where another database has made it.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = 'fsm_app') THEN
        CREATE ROLE fsm_app NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database of the cluster made it in this moment
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'role "%" may not create the role "fsm_app"', current_user
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'as a role with CREATEROLE: CREATE ROLE fsm_app NOLOGIN';
END;
$$;

DO $$
BEGIN
    IF EXISTS (
        SELECT
        FROM pg_catalog.pg_roles AS r
        WHERE r.rolname = 'fsm_app'
          AND (r.rolsuper OR r.rolbypassrls)
    ) THEN
        RAISE EXCEPTION 'row level security does not hold for the role "fsm_app": it is superuser or has BYPASSRLS'
            USING ERRCODE = 'invalid_role_specification',
                  HINT = 'ALTER ROLE fsm_app NOSUPERUSER NOBYPASSRLS';
    END IF;
END;
$$;

-- As with the extensions: only a schema that this file makes is dropped by D0001.
DO $$
DECLARE
    v_schema TEXT;
BEGIN
    FOREACH v_schema IN ARRAY ARRAY['auth', 'app', 'analytics', 'audit'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = v_schema) THEN
            EXECUTE format('CREATE SCHEMA %I', v_schema);
            EXECUTE format('COMMENT ON SCHEMA %I IS %L', v_schema, 'made by fsm V0001');
        END IF;
    END LOOP;
END;
$$;

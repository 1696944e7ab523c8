-- chat V0001: the extension uuid-ossp, the roles chat_app and chat_service, the eleven enum types, and functions that the
--             later migrations lean on.
-- Needs: uuid-ossp on the server (package postgresql-contrib), and CREATE on the database to install it; CREATEROLE if
--        the roles are missing. The errors name the statements that somebody else may run.
-- Lock: none on any table; types, roles and functions only.
--
-- Decided here, because the design leaves it open (no label of the design is missing or renamed):
-- account types: the design names 'guest'. Added: member, support (works on rooms for others), supervisor, robot
--   (the account that robot messages are sent from). "Informal": rights come from permissions, only 'guest' restricts.
-- account states: the design names 'pending-verification'. Added: active, suspended, closed. A suspended or closed
--   account keeps all of its rows and reads nothing; an unverified one may chat.

DO $$
DECLARE
    v_reason TEXT;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension AS e WHERE e.extname = 'uuid-ossp') THEN
        BEGIN
            CREATE EXTENSION "uuid-ossp";
        EXCEPTION
            WHEN feature_not_supported OR undefined_file THEN
                GET STACKED DIAGNOSTICS v_reason = MESSAGE_TEXT;
                RAISE EXCEPTION 'chat needs the extension uuid-ossp, which this server does not have: %', v_reason
                    USING ERRCODE = SQLSTATE,
                          HINT = 'install it on the server (Debian: apt install postgresql-contrib libossp-uuid16), then migrate again';
            WHEN insufficient_privilege THEN
                GET STACKED DIAGNOSTICS v_reason = MESSAGE_TEXT;
                RAISE EXCEPTION 'chat needs the extension uuid-ossp, which "%" may not install: %', current_user, v_reason
                    USING ERRCODE = 'insufficient_privilege',
                          HINT = 'run this in the database as its owner or a superuser, then migrate again: CREATE EXTENSION "uuid-ossp";';
        END;
        -- Tells the rollback that the extension was not there before.
        COMMENT ON EXTENSION "uuid-ossp" IS 'generate universally unique identifiers (UUIDs) (made by chat V0001)';
    END IF;

    IF to_regprocedure('uuid_generate_v4()') IS NULL THEN
        RAISE EXCEPTION 'uuid_generate_v4() is not on the search_path %', current_setting('search_path')
            USING ERRCODE = 'undefined_function',
                  HINT = (SELECT format('ALTER ROLE %I IN DATABASE %I SET search_path = %s, %I', current_user, current_database(),
                                        current_setting('search_path'), n.nspname)
                          FROM pg_catalog.pg_extension AS e
                          JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
                          WHERE e.extname = 'uuid-ossp');
    END IF;
END;
$$;

-- Roles belong to the whole cluster: one that is there, made by another database's migration too, is taken as it is.
-- Both NOLOGIN; what they are for stands in V0012, which gives them their rights.
DO $$
DECLARE
    v_missing TEXT;
    v_statement TEXT;
    v_reason TEXT;
BEGIN
    SELECT string_agg(format('CREATE ROLE %I NOLOGIN;', r.name), E'\n' ORDER BY r.name) INTO v_missing
    FROM unnest(ARRAY['chat_app', 'chat_service']) AS r (name)
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS p WHERE p.rolname = r.name);

    FOREACH v_statement IN ARRAY COALESCE(string_to_array(v_missing, E'\n'), '{}') LOOP
        BEGIN
            EXECUTE v_statement;
        EXCEPTION
            -- Somebody else made it meanwhile.
            WHEN duplicate_object OR unique_violation THEN
                NULL;
            WHEN insufficient_privilege THEN
                GET STACKED DIAGNOSTICS v_reason = MESSAGE_TEXT;
                RAISE EXCEPTION 'chat needs roles that "%" may not create: %', current_user, v_reason
                    USING ERRCODE = 'insufficient_privilege',
                          HINT = format(E'run these as a role that may, then migrate again:\n%s', v_missing);
        END;
    END LOOP;
END;
$$;

CREATE TYPE user_account_type_informal_enum AS ENUM ('guest', 'member', 'support', 'supervisor', 'robot');
CREATE TYPE user_account_status_enum AS ENUM ('pending-verification', 'active', 'suspended', 'closed');
CREATE TYPE room_type_enum AS ENUM ('group', 'direct', 'support', 'escalated');
CREATE TYPE room_status_enum AS ENUM ('active', 'archived', 'closed');
CREATE TYPE participant_role_enum AS ENUM ('member', 'moderator', 'observer', 'guest');
CREATE TYPE participant_status_enum AS ENUM ('active', 'muted', 'removed', 'left');
CREATE TYPE message_type_enum AS ENUM ('chat', 'robot', 'system', 'file', 'image', 'graph');
CREATE TYPE delivery_status_enum AS ENUM ('streaming', 'batch-delay', 'delivered', 'failed');
CREATE TYPE robot_status_enum AS ENUM ('pending', 'processing', 'completed', 'failed');
CREATE TYPE escalation_status_enum AS ENUM ('created', 'assigned', 'in_progress', 'resolved', 'cancelled');
CREATE TYPE support_level_enum AS ENUM ('T1', 'T2', 'T3', 'manager');

-- Binds a function to the schema it lives in, so that it finds its tables whatever search_path the caller
-- has, and a temporary table of the same name cannot take their place. Kept by pg_dump with the function.
--
-- Until 15, everybody may create functions in the schema public. One that fits an argument better would win over
-- ours: what is called from a function bound this way gets exactly the declared types, and the functions of V0012
-- that run with their owner's rights have a body (BEGIN ATOMIC) whose names were resolved when they were created.
CREATE FUNCTION pin_search_path(p_function REGPROCEDURE)
RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_schema NAME;
BEGIN
    SELECT n.nspname INTO STRICT v_schema
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.oid = p_function;

    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', p_function, v_schema);
END;
$$;

REVOKE EXECUTE ON FUNCTION pin_search_path(REGPROCEDURE) FROM PUBLIC;

-- Who the application acts for, NULL where nobody is named. After a transaction that named somebody the setting is '',
-- not NULL. Set it with SET LOCAL: through a pooler a session's setting would reach the next client.
CREATE FUNCTION current_app_user_id()
RETURNS UUID
LANGUAGE sql
STABLE
PARALLEL SAFE
RETURN NULLIF(current_setting('app.current_user_id', TRUE), '')::UUID;

-- Sets updated_at on every change of a row. clock_timestamp(), not now(): two changes in one transaction differ.
CREATE FUNCTION set_updated_at()
RETURNS TRIGGER
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END;
$$;

-- Refuses the statement that fired it, except where maintenance says SET LOCAL chat.maintenance = 'on'. That setting
-- gives nobody a right: it keeps those who have the right from using it by mistake.
CREATE FUNCTION reject_change()
RETURNS TRIGGER
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF current_setting('chat.maintenance', TRUE) = 'on' THEN
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        RETURN NEW;
    END IF;

    RAISE EXCEPTION '% on "%.%" refused: %', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'insufficient_privilege',
              SCHEMA = TG_TABLE_SCHEMA,
              TABLE = TG_TABLE_NAME,
              HINT = TG_ARGV[1];
END;
$$;

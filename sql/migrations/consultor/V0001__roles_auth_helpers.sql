-- consultor V0001: the API roles anon, authenticated and service_role, the caller's identity auth.uid(), and helpers.
--                  Roles and auth.uid() are made only where the server (Supabase, say) does not have them.
-- Needs: encoding UTF8; CREATE on the database; for missing roles CREATEROLE, for service_role with BYPASSRLS a superuser
--        (or, from 16 on, a role with CREATEROLE and BYPASSRLS). The error names the statements that somebody else may run.
-- Lock: none on any table; roles and functions only.

DO $$
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'consultor needs a database with encoding UTF8, this one has %', current_setting('server_encoding')
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'CREATE DATABASE name ENCODING ''UTF8'' TEMPLATE template0';
    END IF;
END;
$$;

-- Roles belong to the whole cluster: one that is there, made by another database's migration too, is taken as it is.
-- A service_role without BYPASSRLS works as well: V0009 has policies for it.
DO $$
DECLARE
    v_missing TEXT;
    v_statement TEXT;
    v_reason TEXT;
BEGIN
    SELECT string_agg(r.statement, E'\n' ORDER BY r.n) INTO v_missing
    FROM (VALUES
        (1, 'anon', 'CREATE ROLE anon NOLOGIN;'),
        (2, 'authenticated', 'CREATE ROLE authenticated NOLOGIN;'),
        (3, 'service_role', 'CREATE ROLE service_role NOLOGIN BYPASSRLS;')
    ) AS r (n, name, statement)
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
                RAISE EXCEPTION 'consultor needs roles that "%" may not create: %', current_user, v_reason
                    USING ERRCODE = 'insufficient_privilege',
                          HINT = format(E'run these as a superuser, then migrate again:\n%s', v_missing);
        END;
    END LOOP;
END;
$$;

-- The comments tell the rollback what was made here.
DO $$
BEGIN
    IF to_regnamespace('auth') IS NULL THEN
        CREATE SCHEMA auth;
        COMMENT ON SCHEMA auth IS 'Identity of the caller (made by consultor V0001)';
        GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role;
    END IF;

    IF to_regprocedure('auth.uid()') IS NULL THEN
        -- The subject of the request's JWT, NULL where there is none. After a transaction that set one the setting is
        -- '', not NULL. Set it with SET LOCAL: through a pooler a session's setting would reach the next client.
        CREATE FUNCTION auth.uid()
        RETURNS UUID
        LANGUAGE sql
        STABLE
        PARALLEL SAFE
        RETURN COALESCE(
            NULLIF(current_setting('request.jwt.claim.sub', TRUE), ''),
            NULLIF(NULLIF(current_setting('request.jwt.claims', TRUE), '')::JSONB ->> 'sub', '')
        )::UUID;
        COMMENT ON FUNCTION auth.uid() IS 'The JWT subject of the caller (made by consultor V0001)';

    ELSIF (SELECT p.prorettype FROM pg_catalog.pg_proc AS p WHERE p.oid = 'auth.uid()'::REGPROCEDURE) <> 'UUID'::REGTYPE THEN
        RAISE EXCEPTION 'auth.uid() does not return UUID: it belongs to something else'
            USING ERRCODE = 'invalid_function_definition',
                  HINT = 'consultor needs a database of its own';
    END IF;
END;
$$;

-- Binds a function to the schema it lives in, so that it finds its tables whatever search_path the caller
-- has, and a temporary table of the same name cannot take their place. Kept by pg_dump with the function.
--
-- Before 15, everybody may create functions and operators in the schema public, and one that fits an argument better
-- than the catalog's wins over it. So a function bound this way gives exactly the declared types to what it calls,
-- operators too, and functions that run with the owner's rights have, wherever they can, a body whose names were
-- resolved when it was created (BEGIN ATOMIC).
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

REVOKE EXECUTE ON FUNCTION pin_search_path(REGPROCEDURE) FROM PUBLIC, anon, authenticated, service_role;

-- Sets updated_at on every change of a row. clock_timestamp(), not now(): two changes in one transaction differ.
CREATE FUNCTION update_updated_at_column()
RETURNS TRIGGER
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END;
$$;

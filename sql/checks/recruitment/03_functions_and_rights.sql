-- check: functions are bound to their schema or parsed when they were made, and nobody who only signs in reads contacts, messages or channel secrets.

DO $$
DECLARE
    v_found TEXT;
BEGIN
    -- pg_temp named last: unnamed, temporary tables would be found before the real ones.
    SELECT string_agg(p.oid::REGPROCEDURE::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.oid IN ('set_updated_at()'::REGPROCEDURE, 'add_standard_labels(INT)'::REGPROCEDURE)
      AND format('search_path=%I, pg_temp', n.nspname) <> ALL (COALESCE(p.proconfig, '{}'));
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: search_path is not bound to the function''s schema: %', v_found;
    END IF;

    SELECT string_agg(p.oid::REGPROCEDURE::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_proc AS p
    WHERE p.oid IN ('safe_numeric(TEXT)'::REGPROCEDURE, 'safe_integer(TEXT)'::REGPROCEDURE)
      AND (p.prosqlbody IS NULL OR p.provolatile <> 'i');
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: not immutable, or parsed anew for every caller: %', v_found;
    END IF;

    SELECT string_agg(p.oid::REGPROCEDURE::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_proc AS p
    WHERE p.pronamespace = (SELECT t.relnamespace FROM pg_catalog.pg_class AS t WHERE t.oid = 'contacts'::REGCLASS)
      AND p.proname IN ('set_updated_at', 'add_standard_labels', 'safe_numeric', 'safe_integer', 'pin_search_path',
                        'match_documents', 'document_filter_values', 'document_filter_path', 'document_metadata_matches')
      AND p.prosecdef;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: runs with the rights of its owner: %', v_found;
    END IF;

    SELECT string_agg(w.name, ', ') INTO v_found
    FROM unnest(ARRAY['authenticated', 'service_role']) AS w (name)
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = w.name);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: role missing: %', v_found;
    END IF;

    SELECT string_agg(format('%s on %s', r.name, t.name), ', ') INTO v_found
    FROM unnest(ARRAY[
        'accounts', 'users', 'teams', 'inboxes', 'contacts', 'conversations', 'messages', 'labels', 'contact_labels',
        'channel_whatsapp', 'channel_api', 'contact_attributes_view'
    ]) AS t (name)
    CROSS JOIN unnest(ARRAY['public', 'authenticated']) AS r (name)
    WHERE has_table_privilege(r.name, t.name, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
       OR has_any_column_privilege(r.name, t.name, 'SELECT, INSERT, UPDATE, REFERENCES');
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: rights that nobody was to have: %', v_found;
    END IF;
END;
$$;

-- Runs p_sql as p_role. Where the session may not take that role, it is granted for the length of this check.
CREATE FUNCTION pg_temp.run_as(p_role NAME, p_sql TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_role TEXT := current_setting('role');
BEGIN
    BEGIN
        PERFORM set_config('role', p_role, TRUE);
    EXCEPTION WHEN insufficient_privilege THEN
        BEGIN
            EXECUTE format('GRANT %I TO CURRENT_USER', p_role);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'check failed: cannot become "%": run as a superuser, or first: GRANT % TO %',
                p_role, quote_ident(p_role), quote_ident(current_user);
        END;
        PERFORM set_config('role', p_role, TRUE);
    END;

    EXECUTE p_sql;
    PERFORM set_config('role', v_role, TRUE);
END;
$$;

-- The schema is theirs to use, the tables are not.
SELECT pg_temp.run_as('authenticated', $sql$
    DO $do$
    DECLARE
        v_table TEXT;
    BEGIN
        FOREACH v_table IN ARRAY ARRAY['contacts', 'messages', 'channel_whatsapp', 'channel_api', 'contact_attributes_view'] LOOP
            BEGIN
                EXECUTE format('SELECT FROM %I LIMIT 1', v_table);
                RAISE EXCEPTION 'check failed: authenticated reads %', v_table;
            EXCEPTION WHEN insufficient_privilege THEN
                NULL;
            END;
        END LOOP;
    END;
    $do$
$sql$);

-- pin_search_path binds a function to the schema it lives in, also one whose name needs quotes, and to those named.
CREATE SCHEMA "Check, it's odd";
CREATE FUNCTION "Check, it's odd".current_path() RETURNS TEXT LANGUAGE sql AS $$ SELECT current_setting('search_path') $$;

DO $$
BEGIN
    PERFORM pin_search_path('"Check, it''s odd".current_path()');
    IF "Check, it's odd".current_path() <> '"Check, it''s odd", pg_temp' THEN
        RAISE EXCEPTION 'check failed: pin_search_path set %', "Check, it's odd".current_path();
    END IF;

    PERFORM pin_search_path('"Check, it''s odd".current_path()', 'Check, it''s odd', 'Another one');
    IF "Check, it's odd".current_path() <> '"Check, it''s odd", "Another one", pg_temp' THEN
        RAISE EXCEPTION 'check failed: pin_search_path set %', "Check, it's odd".current_path();
    END IF;
END;
$$;

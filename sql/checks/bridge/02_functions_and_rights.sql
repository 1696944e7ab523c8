-- check: every function is bound to its own schema, and nobody but the owner can use the one that runs with the owner's rights.

DO $$
DECLARE
    v_functions REGPROCEDURE[] := ARRAY[
        'set_updated_at()',
        'reject_change()',
        'track_activity_message_key()',
        'update_conversation_message_count()',
        'update_ai_insights(BIGINT, JSONB)',
        'list_range_partitions(REGCLASS)',
        'list_expired_partitions(REGCLASS, TIMESTAMPTZ)',
        'ensure_range_partitions(REGCLASS, TEXT, TIMESTAMPTZ, TIMESTAMPTZ)',
        'drop_expired_partitions(REGCLASS, TIMESTAMPTZ)',
        'purge_activity_message_keys(TIMESTAMPTZ)',
        'create_monthly_partitions()',
        'drop_old_partitions(INT)'
    ]::REGPROCEDURE[];
    v_found TEXT;
BEGIN
    -- pg_temp named last: unnamed, temporary tables would be found before the real ones.
    SELECT string_agg(p.oid::REGPROCEDURE::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.oid = ANY (v_functions)
      AND format('search_path=%I, pg_temp', n.nspname) <> ALL (COALESCE(p.proconfig, '{}'));
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: search_path is not bound to the function''s schema: %', v_found;
    END IF;

    SELECT string_agg(p.oid::REGPROCEDURE::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_proc AS p
    WHERE p.oid = ANY (v_functions)
      AND p.prosecdef <> (p.oid = 'track_activity_message_key()'::REGPROCEDURE);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: SECURITY DEFINER and INVOKER are swapped: %', v_found;
    END IF;

    IF has_function_privilege('public', 'track_activity_message_key()', 'EXECUTE') THEN
        RAISE EXCEPTION 'check failed: PUBLIC may put track_activity_message_key() on tables of its own';
    END IF;
END;
$$;

-- pin_search_path binds a function to the schema it lives in, also one whose name needs quotes.
CREATE SCHEMA "Check, it's odd";
CREATE FUNCTION "Check, it's odd".current_path() RETURNS TEXT LANGUAGE sql AS $$ SELECT current_setting('search_path') $$;

DO $$
BEGIN
    PERFORM pin_search_path('"Check, it''s odd".current_path()');
    IF "Check, it's odd".current_path() <> '"Check, it''s odd", pg_temp' THEN
        RAISE EXCEPTION 'check failed: pin_search_path set %', "Check, it's odd".current_path();
    END IF;
END;
$$;

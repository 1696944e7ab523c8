-- check: functions are bound to their names, those with the owner's rights are closed to attackers, and every role has exactly the rights it needs.

-- A function with the owner's rights has either its names resolved in its body, or calls nothing but the catalog's.
DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(f.name, ', ') INTO v_found
    FROM (VALUES
        ('pin_search_path(REGPROCEDURE)', FALSE, 'catalog'),
        ('update_updated_at_column()', FALSE, 'catalog'),
        ('set_deactivated_at()', FALSE, 'catalog'),
        ('update_lead_last_interaction()', FALSE, 'own'),
        ('protect_audit_log()', FALSE, 'own'),
        ('generate_slug(TEXT)', TRUE, 'atomic'),
        ('set_consultant_slug()', FALSE, 'own'),
        ('log_audit_event(UUID, VARCHAR, VARCHAR, UUID, JSONB, INET, TEXT)', TRUE, 'atomic'),
        ('audit_deletion()', FALSE, 'own'),
        ('own_consultant_metrics()', TRUE, 'atomic'),
        ('own_daily_lead_stats()', TRUE, 'atomic'),
        ('refresh_analytics()', TRUE, 'own'),
        ('retention_cutoff(INTERVAL, INTERVAL, INTEGER)', FALSE, 'catalog'),
        ('cleanup_webhook_events(INTEGER, INTEGER)', TRUE, 'atomic'),
        ('anonymize_audit_ips(INTEGER, INTEGER)', TRUE, 'atomic'),
        ('cleanup_audit_logs(INTERVAL, INTEGER)', TRUE, 'atomic'),
        ('archive_messages(INTERVAL, INTEGER)', TRUE, 'atomic'),
        ('purge_consultants(UUID[])', TRUE, 'atomic'),
        ('purge_closed_consultants(INTEGER, INTEGER)', TRUE, 'atomic')
    ) AS f (name, security_definer, path)
    LEFT JOIN pg_catalog.pg_proc AS p ON p.oid = to_regprocedure(f.name)
    LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.oid IS NULL
       OR p.prosecdef <> f.security_definer
       OR (f.path = 'atomic') <> (p.prosqlbody IS NOT NULL)
       OR CASE WHEN f.path = 'own' THEN format('search_path=%I, pg_temp', n.nspname) ELSE 'search_path=pg_catalog, pg_temp' END
              <> ALL (COALESCE(p.proconfig, '{}'));
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: missing, not bound to its names, or with the wrong rights: %', v_found;
    END IF;
END;
$$;

-- Who may execute what: A authenticated, S service_role; PUBLIC and anon nothing.
DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(format('%s on %s', r.name, f.name), ', ') INTO v_found
    FROM (VALUES
        ('pin_search_path(REGPROCEDURE)', ''),
        ('generate_slug(TEXT)', 'AS'),
        ('log_audit_event(UUID, VARCHAR, VARCHAR, UUID, JSONB, INET, TEXT)', 'S'),
        ('own_consultant_metrics()', 'AS'),
        ('own_daily_lead_stats()', 'AS'),
        ('refresh_analytics()', 'S'),
        ('retention_cutoff(INTERVAL, INTERVAL, INTEGER)', ''),
        ('cleanup_webhook_events(INTEGER, INTEGER)', 'S'),
        ('anonymize_audit_ips(INTEGER, INTEGER)', 'S'),
        ('cleanup_audit_logs(INTERVAL, INTEGER)', 'S'),
        ('archive_messages(INTERVAL, INTEGER)', 'S'),
        ('purge_consultants(UUID[])', ''),
        ('purge_closed_consultants(INTEGER, INTEGER)', 'S')
    ) AS f (name, allowed)
    CROSS JOIN (VALUES ('public', 'P'), ('anon', 'N'), ('authenticated', 'A'), ('service_role', 'S')) AS r (name, letter)
    WHERE has_function_privilege(r.name, f.name, 'EXECUTE') <> (strpos(f.allowed, r.letter) > 0);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: EXECUTE differs for %', v_found;
    END IF;
END;
$$;

-- Who may do what with each table and view, in any column: r SELECT, a INSERT, w UPDATE, d DELETE. Nobody has
-- TRUNCATE, which row security does not stop, nor TRIGGER, nor REFERENCES.
DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(format('%s %s on %s', r.role, p.privilege, t.name), ', ') INTO v_found
    FROM (VALUES
        ('consultants', 'rw', 'rawd'),
        ('leads', 'rw', 'rawd'),
        ('flows', 'raw', 'rawd'),
        ('conversations', 'r', 'rawd'),
        ('messages', 'r', 'rawd'),
        ('messages_archive', 'r', 'rawd'),
        ('ai_responses', 'r', 'rawd'),
        ('generated_images', 'r', 'rawd'),
        ('webhook_events', '', 'rawd'),
        ('audit_logs', '', 'ra'),
        ('consultant_metrics', '', 'r'),
        ('daily_lead_stats', '', 'r')
    ) AS t (name, authenticated, service_role)
    CROSS JOIN LATERAL (VALUES
        ('public', ''), ('anon', ''), ('authenticated', t.authenticated), ('service_role', t.service_role)
    ) AS r (role, allowed)
    CROSS JOIN (VALUES
        ('SELECT', 'r', TRUE), ('INSERT', 'a', TRUE), ('UPDATE', 'w', TRUE), ('DELETE', 'd', FALSE),
        ('TRUNCATE', 'D', FALSE), ('TRIGGER', 't', FALSE), ('REFERENCES', 'x', TRUE)
    ) AS p (privilege, letter, of_columns)
    WHERE (strpos(r.allowed, p.letter) > 0) <> CASE
        WHEN p.of_columns THEN has_any_column_privilege(r.role, t.name, p.privilege)
        ELSE has_table_privilege(r.role, t.name, p.privilege)
    END;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: rights differ: %', v_found;
    END IF;

    -- Columns that a consultant may change. The others decide what it costs and whose it is.
    SELECT string_agg(format('%s.%I', a.attrelid::REGCLASS, a.attname), ', ') INTO v_found
    FROM (VALUES
        ('consultants', '{name,bio,crm_number,whatsapp_number,profile_image_url}'::TEXT[]),
        ('leads', '{whatsapp_number,name,profile_name,status,respostas,metadata,last_interaction_at}'),
        ('flows', '{name,vertical,description,definition,version,is_active}')
    ) AS t (name, columns)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.name::REGCLASS AND a.attnum > 0 AND NOT a.attisdropped
    WHERE has_column_privilege('authenticated', a.attrelid, a.attnum, 'UPDATE') <> (a.attname = ANY (t.columns));
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: authenticated has the wrong UPDATE right on %', v_found;
    END IF;

    SELECT string_agg(a.attname, ', ') INTO v_found
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = 'consultants'::REGCLASS
      AND a.attnum > 0
      AND NOT a.attisdropped
      AND has_column_privilege('authenticated', a.attrelid, a.attnum, 'SELECT') <> (a.attname <> 'password_hash');
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: authenticated has the wrong SELECT right on consultants (%)', v_found;
    END IF;

    SELECT string_agg(r.rolname, ', ') INTO v_found
    FROM pg_catalog.pg_roles AS r
    WHERE r.rolname IN ('anon', 'authenticated')
      AND (r.rolsuper OR r.rolbypassrls OR r.rolcanlogin OR r.rolcreaterole
           OR pg_has_role(r.oid, (SELECT s.oid FROM pg_catalog.pg_roles AS s WHERE s.rolname = 'service_role'), 'MEMBER')
           OR pg_has_role(r.oid, (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = 'leads'::REGCLASS), 'MEMBER'));
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: a role that row security does not bind: %', v_found;
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

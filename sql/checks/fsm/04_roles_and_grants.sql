-- check: fsm_app is bound by row level security, owns nothing, and has just the rights that the application needs.

DO $$
BEGIN
    IF NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_roles AS r
        WHERE r.rolname = 'fsm_app'
          AND NOT r.rolsuper
          AND NOT r.rolbypassrls
          AND NOT r.rolcreaterole
    ) THEN
        RAISE EXCEPTION 'check failed: the role fsm_app is missing, or has rights above its tables';
    END IF;
END;
$$;

-- What fsm_app may do, in full; r read, a add, w change, d delete, w* and r* some columns only.
DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(format('%s has "%s", not "%s"', w.name, h.rights, w.rights), '; ' ORDER BY w.name) INTO v_found
    FROM (VALUES
        ('auth.users', 'r*w*'),
        ('auth.roles', 'r'),
        ('auth.user_roles', 'rawd'),
        ('auth.sessions', 'rawd'),
        ('auth.password_reset_tokens', ''),
        ('auth.email_verification_tokens', ''),
        ('app.organizations', 'rawd'),
        ('app.organization_members', 'rawd'),
        ('app.projects', 'rawd'),
        ('app.tasks', 'rawd'),
        ('app.comments', 'rawd'),
        ('app.attachments', 'rawd'),
        ('app.notifications', 'rw*'),
        ('analytics.events', 'a'),
        ('analytics.page_views', 'a'),
        ('analytics.project_stats', ''),
        ('analytics.user_activity_stats', ''),
        ('audit.audit_log', ''),
        ('public.countries', 'rawd'),
        ('public.business_units', 'rawd'),
        ('public.stores', 'rawd'),
        ('public.sales_systems', 'rawd'),
        ('public.business_unit_sales_systems', 'rawd'),
        ('public.service_orders', 'rawd'),
        ('public.sales_channel_configurations', 'rawd'),
        ('public.sales_system_integration_events', 'rawd'),
        ('public.projects', 'rawd'),
        ('public.project_ownership_history', 'r'),
        ('public.sales_pre_estimations', 'rawd'),
        ('public.sales_potential_assessments', 'ra'),
        ('public.risk_assessments', 'ra'),
        ('public.external_reference_mappings', 'rawd'),
        ('public.operator_workload', 'r')
    ) AS w (name, rights)
    CROSS JOIN LATERAL (
        SELECT
            CASE WHEN has_table_privilege('fsm_app', w.name, 'SELECT') THEN 'r'
                 WHEN has_any_column_privilege('fsm_app', w.name, 'SELECT') THEN 'r*' ELSE '' END
            || CASE WHEN has_table_privilege('fsm_app', w.name, 'INSERT') THEN 'a' ELSE '' END
            || CASE WHEN has_table_privilege('fsm_app', w.name, 'UPDATE') THEN 'w'
                    WHEN has_any_column_privilege('fsm_app', w.name, 'UPDATE') THEN 'w*' ELSE '' END
            || CASE WHEN has_table_privilege('fsm_app', w.name, 'DELETE') THEN 'd' ELSE '' END
            || CASE WHEN has_table_privilege('fsm_app', w.name, 'TRUNCATE') THEN 'D' ELSE '' END
            || CASE WHEN has_table_privilege('fsm_app', w.name, 'TRIGGER') THEN 't' ELSE '' END
    ) AS h (rights)
    WHERE h.rights <> w.rights;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: fsm_app has other rights than it should: %', v_found;
    END IF;

    -- Straight into a partition the policies of its table would not hold.
    SELECT string_agg(i.inhrelid::REGCLASS::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_inherits AS i
    JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid = i.inhparent
    JOIN pg_catalog.pg_class AS t ON t.oid = p.partrelid
    WHERE t.relnamespace IN ('app'::REGNAMESPACE, 'analytics'::REGNAMESPACE, 'audit'::REGNAMESPACE)
      AND (has_any_column_privilege('fsm_app', i.inhrelid, 'SELECT')
           OR has_any_column_privilege('fsm_app', i.inhrelid, 'INSERT')
           OR has_any_column_privilege('fsm_app', i.inhrelid, 'UPDATE')
           OR has_table_privilege('fsm_app', i.inhrelid, 'DELETE'));
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: fsm_app has rights on partitions: %', v_found;
    END IF;

    IF has_column_privilege('fsm_app', 'auth.users', 'password_hash', 'SELECT') THEN
        RAISE EXCEPTION 'check failed: fsm_app reads password_hash';
    END IF;
    SELECT string_agg(c.name, ', ') INTO v_found
    FROM unnest(ARRAY['id', 'email', 'email_verified', 'phone_verified', 'failed_login_attempts', 'created_at']) AS c (name)
    WHERE has_column_privilege('fsm_app', 'auth.users', c.name, 'UPDATE');
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: fsm_app changes these columns of auth.users: %', v_found;
    END IF;

    IF has_schema_privilege('fsm_app', 'audit', 'USAGE')
       OR NOT has_schema_privilege('fsm_app', 'auth', 'USAGE')
       OR NOT has_schema_privilege('fsm_app', 'app', 'USAGE')
       OR NOT has_schema_privilege('fsm_app', 'analytics', 'USAGE')
       OR has_schema_privilege('fsm_app', 'auth', 'CREATE')
       OR has_schema_privilege('fsm_app', 'app', 'CREATE') THEN
        RAISE EXCEPTION 'check failed: fsm_app has other rights on the schemas than it should';
    END IF;
END;
$$;

-- Everybody else: nothing on any table.
DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(t.oid::REGCLASS::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_class AS t
    CROSS JOIN LATERAL aclexplode(t.relacl) AS a
    WHERE t.relnamespace IN ('auth'::REGNAMESPACE, 'app'::REGNAMESPACE, 'analytics'::REGNAMESPACE, 'audit'::REGNAMESPACE)
      AND a.grantee = 0;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: everybody has rights on %', v_found;
    END IF;
END;
$$;

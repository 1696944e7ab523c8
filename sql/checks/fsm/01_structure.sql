-- check: all thirty tables are there with a primary key, time zones in every time column, no index twice and an index under every foreign key.

CREATE FUNCTION pg_temp.fsm_tables()
RETURNS SETOF TEXT
LANGUAGE sql
AS $$
    SELECT unnest(ARRAY[
        'auth.users', 'auth.roles', 'auth.user_roles', 'auth.sessions', 'auth.password_reset_tokens',
        'auth.email_verification_tokens',
        'app.organizations', 'app.organization_members', 'app.projects', 'app.tasks', 'app.comments',
        'app.attachments', 'app.notifications',
        'analytics.events', 'analytics.page_views',
        'audit.audit_log',
        'public.countries', 'public.business_units', 'public.stores', 'public.sales_systems',
        'public.business_unit_sales_systems', 'public.service_orders', 'public.sales_channel_configurations',
        'public.sales_system_integration_events', 'public.projects', 'public.project_ownership_history',
        'public.sales_pre_estimations', 'public.sales_potential_assessments', 'public.risk_assessments',
        'public.external_reference_mappings'
    ])
$$;

DO $$
DECLARE
    v_tables REGCLASS[];
    v_found TEXT;
BEGIN
    SELECT string_agg(t.name, ', ') INTO v_found FROM pg_temp.fsm_tables() AS t (name) WHERE to_regclass(t.name) IS NULL;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: tables that do not exist: %', v_found;
    END IF;
    SELECT array_agg(t.name::REGCLASS) INTO v_tables FROM pg_temp.fsm_tables() AS t (name);

    SELECT string_agg(t.oid::REGCLASS::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_class AS t
    WHERE t.oid = ANY (v_tables)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = t.oid AND i.indisprimary AND i.indisvalid);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: no primary key on %', v_found;
    END IF;

    SELECT string_agg(format('%s.%I %s', a.attrelid::REGCLASS, a.attname, format_type(a.atttypid, a.atttypmod)), ', ')
    INTO v_found
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = ANY (v_tables)
      AND a.attnum > 0
      AND format_type(a.atttypid, a.atttypmod) LIKE 'timestamp%'
      AND format_type(a.atttypid, a.atttypmod) <> 'timestamp with time zone';
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: time columns that are not TIMESTAMPTZ: %', v_found;
    END IF;

    SELECT string_agg(format('%s = %s', i.indexrelid::REGCLASS, j.indexrelid::REGCLASS), ', ') INTO v_found
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_index AS j
      ON j.indrelid = i.indrelid
     AND j.indexrelid > i.indexrelid
     AND j.indkey::TEXT = i.indkey::TEXT
     AND j.indoption::TEXT = i.indoption::TEXT
     AND pg_get_expr(j.indexprs, j.indrelid) IS NOT DISTINCT FROM pg_get_expr(i.indexprs, i.indrelid)
     AND pg_get_expr(j.indpred, j.indrelid) IS NOT DISTINCT FROM pg_get_expr(i.indpred, i.indrelid)
    WHERE i.indrelid = ANY (v_tables);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: the same index twice: %', v_found;
    END IF;

    -- The same key once as a constraint and once more as a partial or hash index.
    SELECT string_agg(format('%s after %s', j.indexrelid::REGCLASS, i.indexrelid::REGCLASS), ', ') INTO v_found
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_index AS j ON j.indrelid = i.indrelid AND j.indexrelid <> i.indexrelid AND j.indkey::TEXT = i.indkey::TEXT
    WHERE i.indrelid = ANY (v_tables)
      AND i.indisunique
      AND i.indpred IS NULL
      AND j.indexprs IS NULL;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: a unique index makes another one useless: %', v_found;
    END IF;

    SELECT string_agg(i.indexrelid::REGCLASS::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_index AS i
    WHERE (i.indrelid = ANY (v_tables)
           OR i.indrelid IN (SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h WHERE h.inhparent = ANY (v_tables)))
      AND NOT i.indisvalid;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: invalid index %', v_found;
    END IF;

    -- An index serves a foreign key if it begins with the column and leaves out no row but those without a value.
    SELECT string_agg(format('%s.%I', c.conrelid::REGCLASS, a.attname), ', ' ORDER BY c.conrelid::REGCLASS::TEXT, a.attname)
    INTO v_found
    FROM pg_catalog.pg_constraint AS c
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f'
      AND c.conrelid = ANY (v_tables)
      AND NOT EXISTS (
          SELECT
          FROM pg_catalog.pg_index AS i
          WHERE i.indrelid = c.conrelid
            AND i.indkey[0] = c.conkey[1]
            AND (i.indpred IS NULL
                 OR pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', a.attname))
      );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: foreign keys without an index: %', v_found;
    END IF;
END;
$$;

-- Partitioned by created_at, and nothing else is.
DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(t.name || ' ' || COALESCE(pg_get_partkeydef(t.name::REGCLASS), 'plain'), ', ' ORDER BY t.name) INTO v_found
    FROM pg_temp.fsm_tables() AS t (name)
    WHERE (t.name IN ('app.tasks', 'app.notifications', 'analytics.events', 'analytics.page_views', 'audit.audit_log'))
          <> (pg_get_partkeydef(t.name::REGCLASS) IS NOT DISTINCT FROM 'RANGE (created_at)');
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: not partitioned as they should be: %', v_found;
    END IF;
END;
$$;

-- Columns whose type the document's own rules need, and those that were added to it: they must not stop anybody who
-- inserts the documented columns only.
DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(w.column_name, ', ') INTO v_found
    FROM (VALUES
        ('public.service_orders.order_value_cents', 'bigint'),
        ('public.service_orders.service_fee_cents', 'bigint'),
        ('public.service_orders.estimated_duration_minutes', 'integer'),
        ('public.sales_pre_estimations.sales_system_id', 'character varying(50)'),
        ('audit.audit_log.record_id', 'text'),
        ('audit.audit_log.table_schema', 'character varying(100)')
    ) AS w (column_name, type)
    WHERE NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = regexp_replace(w.column_name, '[.][^.]+$', '')::REGCLASS
          AND a.attname = regexp_replace(w.column_name, '^.*[.]', '')
          AND format_type(a.atttypid, a.atttypmod) = w.type
    );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: missing columns, or of another type: %', v_found;
    END IF;

    SELECT string_agg(format('%s.%I', a.attrelid::REGCLASS, a.attname), ', ') INTO v_found
    FROM pg_catalog.pg_attribute AS a
    WHERE (a.attrelid, a.attname) IN (
        ('public.service_orders'::REGCLASS, 'estimated_duration_minutes'), ('audit.audit_log'::REGCLASS, 'table_schema')
    )
      AND a.attnotnull
      AND NOT a.atthasdef;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: an added column that every insert must fill: %', v_found;
    END IF;
END;
$$;

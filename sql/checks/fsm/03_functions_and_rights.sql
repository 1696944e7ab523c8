-- check: every function is bound to a search_path, and only the helpers of row level security may be executed by everybody.

DO $$
DECLARE
    v_everybody TEXT[] := ARRAY[
        'auth.current_user_id()',
        'auth.has_role(text)',
        'app.is_organization_member(uuid)',
        'app.get_organization_role(uuid)',
        'app.organization_has_members(uuid)',
        'app.shares_organization(uuid)',
        'app.can_access_project(uuid)',
        'app.get_project_role(uuid)',
        'app.can_write_project(uuid)',
        'app.can_access_task(uuid)',
        'app.can_access_comment(uuid)',
        'app.priority_rank(text)'
    ];
    v_owner_only TEXT[] := ARRAY[
        'public.trigger_set_timestamp()',
        'audit.log_changes()',
        'audit.reject_change()',
        'app.check_task_exists()',
        'app.delete_task_children()',
        'auth.guard_user_update()',
        'app.guard_task_update()',
        'public.log_project_ownership()',
        'public.list_range_partitions(regclass)',
        'public.list_expired_partitions(regclass,timestamptz)',
        'public.partition_storage_parameters(regclass)',
        'public.attach_new_partition(regclass,name,name,timestamptz,timestamptz)',
        'public.ensure_range_partitions(regclass,text,timestamptz,timestamptz)',
        'public.drop_expired_partitions(regclass,timestamptz)',
        'app.delete_children_of_partition(regclass)',
        'app.purge_task_children(integer)',
        'public.create_partition(text,text,date,date)',
        'public.create_monthly_partitions(text,text,integer)',
        'public.drop_old_partitions(text,text,integer)',
        'public.maintain_partitions()',
        'public.refresh_operator_workload()'
    ];
    v_definer TEXT[] := ARRAY[
        'auth.has_role(text)',
        'app.is_organization_member(uuid)',
        'app.get_organization_role(uuid)',
        'app.organization_has_members(uuid)',
        'app.shares_organization(uuid)',
        'app.can_access_project(uuid)',
        'app.get_project_role(uuid)',
        'app.can_access_task(uuid)',
        'app.can_access_comment(uuid)',
        'audit.log_changes()',
        'app.check_task_exists()',
        'app.delete_task_children()',
        'public.log_project_ownership()'
    ];
    v_found TEXT;
BEGIN
    SELECT string_agg(f.name, ', ') INTO v_found
    FROM unnest(v_everybody || v_owner_only) AS f (name)
    WHERE to_regprocedure(f.name) IS NULL;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: functions that do not exist: %', v_found;
    END IF;

    SELECT string_agg(f.name, ', ') INTO v_found
    FROM unnest(v_everybody || v_owner_only) AS f (name)
    JOIN pg_catalog.pg_proc AS p ON p.oid = f.name::REGPROCEDURE
    WHERE NOT 'search_path=pg_catalog, pg_temp' = ANY (COALESCE(p.proconfig, '{}'));
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: functions that find what the caller''s search_path says: %', v_found;
    END IF;

    SELECT string_agg(f.name, ', ') INTO v_found
    FROM unnest(v_everybody || v_owner_only) AS f (name)
    JOIN pg_catalog.pg_proc AS p ON p.oid = f.name::REGPROCEDURE
    WHERE p.prosecdef <> (f.name = ANY (v_definer));
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: functions with the rights of the wrong one, caller or owner: %', v_found;
    END IF;

    SELECT string_agg(f.name, ', ') INTO v_found
    FROM unnest(v_everybody || v_owner_only) AS f (name)
    JOIN pg_catalog.pg_proc AS p ON p.oid = f.name::REGPROCEDURE
    WHERE (f.name = ANY (v_everybody)) <> EXISTS (
        SELECT
        FROM aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) AS a
        WHERE a.grantee = 0
          AND a.privilege_type = 'EXECUTE'
    );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: functions that everybody may execute, or nobody: %', v_found;
    END IF;

    SELECT string_agg(f.name, ', ') INTO v_found
    FROM unnest(v_everybody) AS f (name)
    WHERE NOT has_function_privilege('fsm_app', f.name, 'EXECUTE');
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: helpers that fsm_app cannot execute: %', v_found;
    END IF;
END;
$$;

-- A function that changes nothing says so, else a policy could not be planned with it, nor an index made.
DO $$
BEGIN
    IF (SELECT p.provolatile FROM pg_catalog.pg_proc AS p WHERE p.oid = 'app.priority_rank(text)'::REGPROCEDURE) <> 'i'
       OR (SELECT p.provolatile FROM pg_catalog.pg_proc AS p WHERE p.oid = 'auth.current_user_id()'::REGPROCEDURE) <> 's' THEN
        RAISE EXCEPTION 'check failed: priority_rank is not IMMUTABLE, or current_user_id not STABLE';
    END IF;
END;
$$;

-- fsm V0009: updated_at follows every change; changes of users, organizations and projects go to audit.audit_log.
-- Lock: SHARE ROW EXCLUSIVE on each table that gets a trigger: writers wait for a change of the catalog.

-- clock_timestamp(), not now(): two changes in one transaction differ. A change that changes nothing is none.
CREATE FUNCTION public.trigger_set_timestamp()
RETURNS TRIGGER
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW IS DISTINCT FROM OLD THEN
        NEW.updated_at := clock_timestamp();
    END IF;
    RETURN NEW;
END;
$$;

-- Writes what happened to a row of any table into audit_log. Arguments of the trigger: the columns of the key, id
-- where none is named. Hashes of passwords and tokens are never written, that they changed is. Who acted comes from
-- the setting app.current_user_id, from where from app.client_ip, else from the connection; after SET LOCAL both are ''.
-- An UPDATE that changes nothing, or updated_at only, is not written.
-- SECURITY DEFINER: the application needs no rights on audit_log, and has none.
CREATE FUNCTION audit.log_changes()
RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_old JSONB := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    v_new JSONB := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    v_key TEXT[] := ARRAY['id'];
    v_record_id TEXT;
    v_changed TEXT[];
    v_secret TEXT[];
BEGIN
    IF TG_NARGS > 0 THEN
        v_key := TG_ARGV;
    END IF;
    SELECT string_agg(COALESCE(v_new, v_old) ->> k.name, ',' ORDER BY k.n) INTO v_record_id
    FROM unnest(v_key) WITH ORDINALITY AS k (name, n);
    IF v_record_id IS NULL THEN
        RAISE EXCEPTION 'audit.log_changes: table "%.%" has no column "%"', TG_TABLE_SCHEMA, TG_TABLE_NAME, array_to_string(v_key, '", "')
            USING ERRCODE = 'undefined_column',
                  HINT = 'name the key columns: EXECUTE FUNCTION audit.log_changes(''code'')';
    END IF;

    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(n.key ORDER BY n.key) INTO v_changed
        FROM jsonb_each(v_new) AS n
        WHERE n.value IS DISTINCT FROM v_old -> n.key
          AND n.key <> 'updated_at';
        IF v_changed IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;

    SELECT array_agg(k.name) INTO v_secret
    FROM jsonb_object_keys(COALESCE(v_new, v_old)) AS k (name)
    WHERE k.name LIKE '%\_hash';

    INSERT INTO audit.audit_log (table_schema, table_name, record_id, action, user_id, ip_address,
                                 old_values, new_values, changed_fields)
    VALUES (
        TG_TABLE_SCHEMA,
        TG_TABLE_NAME,
        v_record_id,
        TG_OP,
        NULLIF(current_setting('app.current_user_id', TRUE), '')::UUID,
        COALESCE(NULLIF(current_setting('app.client_ip', TRUE), '')::INET, inet_client_addr()),
        v_old - COALESCE(v_secret, '{}'),
        v_new - COALESCE(v_secret, '{}'),
        v_changed
    );

    RETURN NULL;
END;
$$;

-- Whoever may execute it could put it on a table of their own and write into the log.
REVOKE EXECUTE ON FUNCTION audit.log_changes(), public.trigger_set_timestamp() FROM PUBLIC;

CREATE TRIGGER set_timestamp
    BEFORE UPDATE ON auth.users
    FOR EACH ROW
    EXECUTE FUNCTION public.trigger_set_timestamp();

CREATE TRIGGER set_timestamp
    BEFORE UPDATE ON auth.roles
    FOR EACH ROW
    EXECUTE FUNCTION public.trigger_set_timestamp();

CREATE TRIGGER set_timestamp
    BEFORE UPDATE ON app.organizations
    FOR EACH ROW
    EXECUTE FUNCTION public.trigger_set_timestamp();

CREATE TRIGGER set_timestamp
    BEFORE UPDATE ON app.projects
    FOR EACH ROW
    EXECUTE FUNCTION public.trigger_set_timestamp();

CREATE TRIGGER set_timestamp
    BEFORE UPDATE ON app.tasks
    FOR EACH ROW
    EXECUTE FUNCTION public.trigger_set_timestamp();

CREATE TRIGGER set_timestamp
    BEFORE UPDATE ON app.comments
    FOR EACH ROW
    EXECUTE FUNCTION public.trigger_set_timestamp();

CREATE TRIGGER audit_users
    AFTER INSERT OR UPDATE OR DELETE ON auth.users
    FOR EACH ROW
    EXECUTE FUNCTION audit.log_changes();

CREATE TRIGGER audit_organizations
    AFTER INSERT OR UPDATE OR DELETE ON app.organizations
    FOR EACH ROW
    EXECUTE FUNCTION audit.log_changes();

CREATE TRIGGER audit_projects
    AFTER INSERT OR UPDATE OR DELETE ON app.projects
    FOR EACH ROW
    EXECUTE FUNCTION audit.log_changes();

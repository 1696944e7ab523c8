-- check: every table, and every column whose values need words, says in the catalog what it is.

DO $$
DECLARE
    v_missing TEXT;
BEGIN
    SELECT string_agg(t.name, ', ') INTO v_missing
    FROM unnest(ARRAY[
        'contact_mappings', 'conversation_mappings', 'activity_mappings', 'activity_message_keys',
        'ai_insights', 'stage_change_logs', 'consent_records', 'audit_logs'
    ]) AS t (name)
    WHERE obj_description(t.name::REGCLASS, 'pg_class') IS NULL;
    IF v_missing IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: no comment on table %', v_missing;
    END IF;

    SELECT string_agg(format('%s.%s', c.table_name, c.name), ', ') INTO v_missing
    FROM (VALUES
        ('contact_mappings', 'chatwoot_contact_id'),
        ('contact_mappings', 'krayin_lead_id'),
        ('contact_mappings', 'krayin_person_id'),
        ('conversation_mappings', 'status'),
        ('conversation_mappings', 'message_count'),
        ('activity_mappings', 'message_type'),
        ('ai_insights', 'performance_score'),
        ('ai_insights', 'is_current'),
        ('ai_insights', 'valid_from'),
        ('ai_insights', 'valid_to'),
        ('stage_change_logs', 'trigger_source')
    ) AS c (table_name, name)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.table_name::REGCLASS AND a.attname = c.name
    WHERE col_description(a.attrelid, a.attnum) IS NULL;
    IF v_missing IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: no comment on column %', v_missing;
    END IF;

    SELECT string_agg(f.name, ', ') INTO v_missing
    FROM unnest(ARRAY[
        'create_monthly_partitions()', 'drop_old_partitions(INT)', 'update_ai_insights(BIGINT, JSONB)'
    ]) AS f (name)
    WHERE obj_description(f.name::REGPROCEDURE, 'pg_proc') IS NULL;
    IF v_missing IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: no comment on function %', v_missing;
    END IF;
END;
$$;

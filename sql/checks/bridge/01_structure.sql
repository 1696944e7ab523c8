-- check: every table has its primary key, time zones in every time column, and no index twice.

DO $$
DECLARE
    v_tables REGCLASS[] := ARRAY[
        'contact_mappings', 'conversation_mappings', 'activity_mappings', 'activity_message_keys',
        'ai_insights', 'stage_change_logs', 'consent_records', 'audit_logs'
    ]::REGCLASS[];
    v_found TEXT;
BEGIN
    SELECT string_agg(t.oid::REGCLASS::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_class AS t
    WHERE t.oid = ANY (v_tables)
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = t.oid AND i.indisprimary AND i.indisvalid
      );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: no primary key on %', v_found;
    END IF;

    -- Also no fraction cut off: TIMESTAMPTZ(0) would round the last half second of a month into the next one.
    SELECT string_agg(format('%s.%I %s', a.attrelid::REGCLASS, a.attname, format_type(a.atttypid, a.atttypmod)), ', ')
    INTO v_found
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = ANY (v_tables)
      AND a.attnum > 0
      AND format_type(a.atttypid, a.atttypmod) ~ '^(timestamp|date)'
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
     AND pg_get_expr(j.indpred, j.indrelid) IS NOT DISTINCT FROM pg_get_expr(i.indpred, i.indrelid)
    WHERE i.indrelid = ANY (v_tables);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: the same index twice: %', v_found;
    END IF;

    SELECT string_agg(i.indexrelid::REGCLASS::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_index AS i
    WHERE i.indrelid = ANY (v_tables)
      AND NOT i.indisvalid;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: invalid index %', v_found;
    END IF;
END;
$$;

-- The indexes that the documented queries use, by what they index.
DO $$
DECLARE
    v_missing TEXT;
BEGIN
    SELECT string_agg(want.name, ', ' ORDER BY want.name) INTO v_missing
    FROM (VALUES
        ('idx_contact_mappings_krayin_person_id', 'btree (krayin_person_id) WHERE (krayin_person_id IS NOT NULL)'),
        ('idx_contact_mappings_lead_contact', 'btree (krayin_lead_id, chatwoot_contact_id) WHERE (krayin_lead_id IS NOT NULL)'),
        ('idx_conversation_mappings_lead_status', 'btree (krayin_lead_id, status)'),
        ('idx_conversation_mappings_lead_updated', 'btree (krayin_lead_id, updated_at DESC)'),
        ('idx_conversation_mappings_status_updated', 'btree (status, updated_at DESC)'),
        ('idx_conversation_mappings_open_conversations', 'btree (krayin_lead_id, updated_at DESC) WHERE ((status)::text = ''open''::text)'),
        ('idx_activity_mappings_chatwoot_message_id', 'btree (chatwoot_message_id, created_at)'),
        ('idx_activity_mappings_krayin_activity_id', 'btree (krayin_activity_id)'),
        ('idx_activity_mappings_created_at', 'btree (created_at DESC)'),
        ('idx_activity_mappings_conversation_created', 'btree (conversation_id, created_at DESC)'),
        ('unique_current_insight', 'btree (krayin_lead_id) WHERE is_current'),
        ('idx_ai_insights_lead_time', 'btree (krayin_lead_id, calculated_at DESC)'),
        ('idx_ai_insights_score_current', 'btree (performance_score DESC, krayin_lead_id) WHERE is_current'),
        ('idx_ai_insights_engagement_current', 'btree (engagement_level, performance_score DESC) WHERE is_current'),
        ('idx_ai_insights_trend', 'btree (trend, performance_score DESC) WHERE is_current'),
        ('idx_stage_change_logs_krayin_lead_id', 'btree (krayin_lead_id, created_at DESC)'),
        ('idx_stage_change_logs_created_at', 'btree (created_at DESC)'),
        ('idx_stage_change_logs_trigger_source', 'btree (trigger_source, created_at DESC)'),
        ('idx_consent_contact_type', 'btree (contact_id, consent_type)'),
        ('idx_consent_chatwoot_contact', 'btree (chatwoot_contact_id) WHERE (chatwoot_contact_id IS NOT NULL)'),
        ('idx_consent_status', 'btree (status, consent_type)'),
        ('idx_consent_created_at', 'btree (created_at DESC)'),
        ('idx_consent_valid', 'btree (contact_id, consent_type) WHERE (((status)::text = ''granted''::text) AND (withdrawn_at IS NULL))'),
        ('idx_audit_logs_user', 'btree (user_id, created_at DESC)'),
        ('idx_audit_logs_model', 'btree (model, model_id, created_at DESC)'),
        ('idx_audit_logs_action', 'btree (action, created_at DESC)'),
        ('idx_audit_logs_created_at', 'btree (created_at DESC)')
    ) AS want (name, definition)
    WHERE to_regclass(want.name) IS NULL
       OR pg_get_indexdef(to_regclass(want.name)) NOT LIKE '% USING ' || replace(want.definition, '_', '\_');
    IF v_missing IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: missing or different index: %', v_missing;
    END IF;
END;
$$;

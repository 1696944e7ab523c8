-- check: every table has its primary key, row security, time zones in every time column, no index twice, and the indexes that the documented queries use.

DO $$
DECLARE
    v_tables REGCLASS[] := ARRAY[
        'consultants', 'leads', 'flows', 'conversations', 'messages', 'messages_archive', 'ai_responses',
        'generated_images', 'webhook_events', 'audit_logs'
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

    SELECT string_agg(t.oid::REGCLASS::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_class AS t
    WHERE t.oid = ANY (v_tables)
      AND NOT t.relrowsecurity;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: no row security on %', v_found;
    END IF;

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
     AND j.indclass::TEXT = i.indclass::TEXT
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

    -- Deleting a parent must find the children without reading the whole table.
    SELECT string_agg(format('%s (%s)', c.conrelid::REGCLASS, c.conname), ', ') INTO v_found
    FROM pg_catalog.pg_constraint AS c
    WHERE c.contype = 'f'
      AND c.conrelid = ANY (v_tables)
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_index AS i
          WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1] AND i.indpred IS NULL
      );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: foreign key without index: %', v_found;
    END IF;
END;
$$;

DO $$
DECLARE
    v_missing TEXT;
BEGIN
    SELECT string_agg(want.name, ', ' ORDER BY want.name) INTO v_missing
    FROM (VALUES
        ('consultants_email_key', 'btree (email)'),
        ('consultants_slug_key', 'btree (slug)'),
        ('idx_consultants_whatsapp', 'btree (whatsapp_number)'),
        ('idx_consultants_vertical', 'btree (vertical)'),
        ('leads_consultant_id_whatsapp_number_key', 'btree (consultant_id, whatsapp_number)'),
        ('idx_leads_whatsapp', 'btree (whatsapp_number)'),
        ('idx_leads_status', 'btree (status)'),
        ('idx_leads_created_at', 'btree (created_at DESC)'),
        ('idx_leads_last_interaction', 'btree (last_interaction_at DESC)'),
        ('idx_leads_respostas_gin', 'gin (respostas)'),
        ('idx_leads_consultant_status_date', 'btree (consultant_id, status, created_at DESC)'),
        ('idx_flows_vertical', 'btree (vertical)'),
        ('idx_flows_is_active', 'btree (vertical, name) WHERE is_active'),
        ('idx_flows_created_by', 'btree (created_by)'),
        ('idx_flows_definition_gin', 'gin (definition)'),
        ('idx_flows_template_unique', 'btree (name, vertical, version) WHERE is_template'),
        ('idx_conversations_one_active', 'btree (lead_id) WHERE (NOT is_completed)'),
        ('idx_conversations_flow_id', 'btree (flow_id)'),
        ('idx_conversations_is_completed', 'btree (updated_at DESC) WHERE (NOT is_completed)'),
        ('idx_conversations_updated_at', 'btree (updated_at DESC)'),
        ('idx_conversations_lead_flow_completed', 'btree (lead_id, flow_id, is_completed)'),
        ('idx_messages_conversation_id', 'btree (conversation_id, created_at)'),
        ('idx_messages_created_at', 'btree (created_at DESC)'),
        ('idx_messages_direction', 'btree (direction)'),
        ('idx_messages_whatsapp_id_unique', 'btree (whatsapp_message_id) WHERE (whatsapp_message_id IS NOT NULL)'),
        ('idx_messages_archive_conversation_id', 'btree (conversation_id, created_at)'),
        ('idx_ai_responses_lead_id', 'btree (lead_id)'),
        ('idx_ai_responses_conversation_id', 'btree (conversation_id)'),
        ('idx_ai_responses_created_at', 'btree (created_at DESC)'),
        ('idx_ai_responses_model', 'btree (model)'),
        ('idx_ai_responses_compliance', 'btree (created_at DESC) WHERE (NOT compliance_check_passed)'),
        ('idx_generated_images_lead_id', 'btree (lead_id)'),
        ('idx_generated_images_consultant_id', 'btree (consultant_id)'),
        ('idx_generated_images_created_at', 'btree (created_at DESC)'),
        ('idx_webhook_events_event_type', 'btree (event_type)'),
        ('idx_webhook_events_processed', 'btree (received_at) WHERE (NOT processed)'),
        ('idx_webhook_events_received_at', 'btree (received_at DESC)'),
        ('idx_audit_logs_consultant_id', 'btree (consultant_id)'),
        ('idx_audit_logs_action', 'btree (action)'),
        ('idx_audit_logs_created_at', 'btree (created_at DESC)'),
        ('idx_audit_logs_resource', 'btree (resource_type, resource_id)'),
        ('idx_audit_logs_with_ip', 'btree (created_at) WHERE (ip_address IS NOT NULL)'),
        ('idx_consultant_metrics_consultant_id', 'btree (consultant_id)'),
        ('idx_daily_lead_stats_consultant', 'btree (consultant_id, date DESC)')
    ) AS want (name, definition)
    WHERE to_regclass(want.name) IS NULL
       OR pg_get_indexdef(to_regclass(want.name)) NOT LIKE '% USING ' || replace(want.definition, '_', '\_');
    IF v_missing IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: missing or different index: %', v_missing;
    END IF;

    SELECT string_agg(want.name, ', ' ORDER BY want.name) INTO v_missing
    FROM (VALUES
        ('consultants_email_key'), ('consultants_slug_key'), ('leads_consultant_id_whatsapp_number_key'),
        ('idx_flows_template_unique'), ('idx_conversations_one_active'), ('idx_messages_whatsapp_id_unique'),
        ('idx_consultant_metrics_consultant_id'), ('idx_daily_lead_stats_consultant')
    ) AS want (name)
    WHERE NOT (SELECT i.indisunique FROM pg_catalog.pg_index AS i WHERE i.indexrelid = to_regclass(want.name));
    IF v_missing IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: not unique: %', v_missing;
    END IF;
END;
$$;

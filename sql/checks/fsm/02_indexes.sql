-- check: every index is there, valid, and indexes what it should.

-- The server shows names without their schema if they are on the search_path.
SET LOCAL search_path = pg_catalog, pg_temp;

-- A restored index on IN ('A', 'B') casts each value, where the one it was dumped from casts the list.
CREATE FUNCTION pg_temp.without_casts(p_definition TEXT)
RETURNS TEXT
LANGUAGE sql
AS $$ SELECT regexp_replace(p_definition, '::(character varying|text)([[][]])?|[()]', '', 'g') $$;

DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(w.name, ', ' ORDER BY w.name) INTO v_found
    FROM (VALUES
        ('analytics.idx_events_created_at', 'btree (created_at DESC)'),
        ('analytics.idx_events_org_id', 'btree (organization_id) WHERE (organization_id IS NOT NULL)'),
        ('analytics.idx_events_properties', 'gin (properties)'),
        ('analytics.idx_events_session_id', 'btree (session_id) WHERE (session_id IS NOT NULL)'),
        ('analytics.idx_events_type', 'btree (event_type)'),
        ('analytics.idx_events_user_id', 'btree (user_id) WHERE (user_id IS NOT NULL)'),
        ('analytics.idx_page_views_created_at', 'btree (created_at DESC)'),
        ('analytics.idx_page_views_session_id', 'btree (session_id) WHERE (session_id IS NOT NULL)'),
        ('analytics.idx_page_views_url', 'btree (url)'),
        ('analytics.idx_page_views_user_id', 'btree (user_id) WHERE (user_id IS NOT NULL)'),
        ('analytics.project_stats_project_id_idx', 'UNIQUE btree (project_id)'),
        ('analytics.user_activity_stats_user_id_idx', 'UNIQUE btree (user_id)'),
        ('app.idx_attachments_comment_id', 'btree (comment_id) WHERE (comment_id IS NOT NULL)'),
        ('app.idx_attachments_mime_type', 'btree (mime_type)'),
        ('app.idx_attachments_task_id', 'btree (task_id) WHERE (task_id IS NOT NULL)'),
        ('app.idx_attachments_uploaded_by', 'btree (uploaded_by)'),
        ('app.idx_comments_created_at', 'btree (created_at DESC)'),
        ('app.idx_comments_fulltext', 'gin (to_tsvector(''english''::regconfig, content))'),
        ('app.idx_comments_parent_id', 'btree (parent_comment_id) WHERE (parent_comment_id IS NOT NULL)'),
        ('app.idx_comments_task_id', 'btree (task_id)'),
        ('app.idx_comments_user_id', 'btree (user_id)'),
        ('app.idx_notifications_created_at', 'btree (created_at DESC)'),
        ('app.idx_notifications_is_read', 'btree (is_read) WHERE (is_read = false)'),
        ('app.idx_notifications_type', 'btree (type)'),
        ('app.idx_notifications_user_id', 'btree (user_id)'),
        ('app.idx_notifications_user_unread', 'btree (user_id, created_at DESC) WHERE (is_read = false)'),
        ('app.idx_org_members_invited_by', 'btree (invited_by) WHERE (invited_by IS NOT NULL)'),
        ('app.idx_org_members_role', 'btree (role)'),
        ('app.idx_org_members_status', 'btree (status)'),
        ('app.idx_org_members_user_id', 'btree (user_id)'),
        ('app.idx_organizations_created_by', 'btree (created_by)'),
        ('app.idx_organizations_fulltext', 'gin (to_tsvector(''english''::regconfig, (((COALESCE(name, ''''::character varying))::text || '' ''::text) || COALESCE(description, ''''::text))))'),
        ('app.idx_organizations_status', 'btree (status) WHERE (deleted_at IS NULL)'),
        ('app.idx_organizations_trial_ends', 'btree (trial_ends_at) WHERE (trial_ends_at IS NOT NULL)'),
        ('app.idx_projects_created_by', 'btree (created_by)'),
        ('app.idx_projects_dates', 'btree (start_date, end_date)'),
        ('app.idx_projects_fulltext', 'gin (to_tsvector(''english''::regconfig, (((COALESCE(name, ''''::character varying))::text || '' ''::text) || COALESCE(description, ''''::text))))'),
        ('app.idx_projects_org_id', 'btree (organization_id) WHERE (deleted_at IS NULL)'),
        ('app.idx_projects_slug', 'btree (slug)'),
        ('app.idx_projects_status', 'btree (status) WHERE (deleted_at IS NULL)'),
        ('app.idx_projects_visibility', 'btree (visibility)'),
        ('app.idx_tasks_assignee_id', 'btree (assignee_id)'),
        ('app.idx_tasks_due_date', 'btree (due_date) WHERE (deleted_at IS NULL)'),
        ('app.idx_tasks_fulltext', 'gin (to_tsvector(''english''::regconfig, (((COALESCE(title, ''''::character varying))::text || '' ''::text) || COALESCE(description, ''''::text))))'),
        ('app.idx_tasks_metadata', 'gin (metadata)'),
        ('app.idx_tasks_parent_task', 'btree (parent_task_id) WHERE (parent_task_id IS NOT NULL)'),
        ('app.idx_tasks_priority', 'btree (priority) WHERE (deleted_at IS NULL)'),
        ('app.idx_tasks_project_id', 'btree (project_id)'),
        ('app.idx_tasks_project_status_priority', 'btree (project_id, status, app.priority_rank((priority)::text) DESC) WHERE (deleted_at IS NULL)'),
        ('app.idx_tasks_reporter_id', 'btree (reporter_id)'),
        ('app.idx_tasks_status', 'btree (status) WHERE (deleted_at IS NULL)'),
        ('app.idx_tasks_tags', 'gin (tags)'),
        ('audit.idx_audit_action', 'btree (action)'),
        ('audit.idx_audit_created_at', 'btree (created_at DESC)'),
        ('audit.idx_audit_new_values', 'gin (new_values)'),
        ('audit.idx_audit_old_values', 'gin (old_values)'),
        ('audit.idx_audit_table_record', 'btree (table_name, record_id)'),
        ('audit.idx_audit_user_id', 'btree (user_id) WHERE (user_id IS NOT NULL)'),
        ('auth.idx_email_verification_tokens_user_id', 'btree (user_id)'),
        ('auth.idx_password_reset_tokens_user_id', 'btree (user_id)'),
        ('auth.idx_sessions_expires_at', 'btree (expires_at)'),
        ('auth.idx_sessions_last_activity', 'btree (last_activity_at DESC)'),
        ('auth.idx_sessions_user_id', 'btree (user_id)'),
        ('auth.idx_user_roles_expires_at', 'btree (expires_at) WHERE (expires_at IS NOT NULL)'),
        ('auth.idx_user_roles_granted_by', 'btree (granted_by) WHERE (granted_by IS NOT NULL)'),
        ('auth.idx_user_roles_role_id', 'btree (role_id)'),
        ('auth.idx_users_created_at', 'btree (created_at DESC)'),
        ('auth.idx_users_fulltext', 'gin (to_tsvector(''english''::regconfig, (((((COALESCE(first_name, ''''::character varying))::text || '' ''::text) || (COALESCE(last_name, ''''::character varying))::text) || '' ''::text) || (COALESCE(email, ''''::character varying))::text)))'),
        ('auth.idx_users_last_login', 'btree (last_login_at DESC NULLS LAST)'),
        ('auth.idx_users_status', 'btree (status) WHERE (deleted_at IS NULL)'),
        ('public.idx_bu_sales_systems_is_primary', 'UNIQUE btree (business_unit_id) WHERE (is_primary = true)'),
        ('public.idx_bu_sales_systems_sales_system_id', 'btree (sales_system_id)'),
        ('public.idx_business_units_is_active', 'btree (is_active)'),
        ('public.idx_countries_is_active', 'btree (is_active)'),
        ('public.idx_external_ref_created_at', 'btree (created_at DESC)'),
        ('public.idx_external_ref_external', 'btree (external_system_source, external_reference_type, external_reference_id)'),
        ('public.idx_external_ref_fsm_entity', 'btree (fsm_entity_type, fsm_entity_id)'),
        ('public.idx_integration_events_created_at', 'btree (created_at)'),
        ('public.idx_integration_events_event_type', 'btree (event_type)'),
        ('public.idx_integration_events_sales_order_id', 'btree (sales_order_id)'),
        ('public.idx_integration_events_sales_system_id', 'btree (sales_system_id)'),
        ('public.idx_integration_events_service_order_id', 'btree (service_order_id)'),
        ('public.idx_integration_events_status', 'btree (status)'),
        ('public.idx_operator_workload_operator', 'UNIQUE btree (operator_id)'),
        ('public.idx_ownership_history_changed_at', 'btree (changed_at DESC)'),
        ('public.idx_ownership_history_operator', 'btree (new_operator_id)'),
        ('public.idx_ownership_history_previous', 'btree (previous_operator_id)'),
        ('public.idx_ownership_history_project', 'btree (project_id)'),
        ('public.idx_potential_assessments_assessed_at', 'btree (assessed_at DESC)'),
        ('public.idx_potential_assessments_level', 'btree (potential_level, assessed_at)'),
        ('public.idx_potential_assessments_so', 'btree (service_order_id)'),
        ('public.idx_pre_estimation_customer', 'btree (customer_id)'),
        ('public.idx_pre_estimation_system', 'btree (sales_system_id)'),
        ('public.idx_pre_estimation_valid_until', 'btree (valid_until) WHERE (valid_until IS NOT NULL)'),
        ('public.idx_pre_estimation_value', 'btree (estimated_value DESC)'),
        ('public.idx_projects_assignment_mode', 'btree (assignment_mode)'),
        ('public.idx_projects_business_unit_id', 'btree (business_unit_id)'),
        ('public.idx_projects_country_bu', 'btree (country_code, business_unit_id)'),
        ('public.idx_projects_customer', 'btree (customer_id)'),
        ('public.idx_projects_responsible_operator', 'btree (responsible_operator_id)'),
        ('public.idx_risk_assessments_assessed_at', 'btree (assessed_at DESC)'),
        ('public.idx_risk_assessments_level', 'btree (risk_level, assessed_at)'),
        ('public.idx_risk_assessments_so', 'btree (service_order_id)'),
        ('public.idx_risk_assessments_triggered_by', 'btree (triggered_by)'),
        ('public.idx_sales_channel_config_channel', 'btree (sales_channel)'),
        ('public.idx_sales_systems_is_active', 'btree (is_active)'),
        ('public.idx_service_orders_business_unit_id', 'btree (business_unit_id)'),
        ('public.idx_service_orders_country_bu_store', 'btree (country_code, business_unit_id, store_id)'),
        ('public.idx_service_orders_order_date', 'btree (order_date)'),
        ('public.idx_service_orders_project_id', 'btree (project_id)'),
        ('public.idx_service_orders_sales_channel', 'btree (sales_channel)'),
        ('public.idx_service_orders_sales_order_id', 'btree (sales_order_id)'),
        ('public.idx_service_orders_sales_order_unique', 'UNIQUE btree (sales_system_id, sales_order_id, sales_order_line_id) NULLS NOT DISTINCT'),
        ('public.idx_service_orders_sales_system_channel', 'btree (sales_system_id, sales_channel)'),
        ('public.idx_service_orders_scheduled_date', 'btree (scheduled_date) WHERE (scheduled_date IS NOT NULL)'),
        ('public.idx_service_orders_status', 'btree (status)'),
        ('public.idx_service_orders_store_id', 'btree (store_id)'),
        ('public.idx_so_dashboard_risk_potential', 'btree (risk_level, sales_potential, status, scheduled_date) WHERE ((service_type)::text = ANY ((ARRAY[''TV''::character varying, ''QUOTATION''::character varying, ''INSTALLATION''::character varying])::text[]))'),
        ('public.idx_so_external_lead', 'btree (external_system_source, external_lead_id) WHERE (external_lead_id IS NOT NULL)'),
        ('public.idx_so_external_project', 'btree (external_system_source, external_project_id) WHERE (external_project_id IS NOT NULL)'),
        ('public.idx_so_external_sales_order', 'btree (external_system_source, external_sales_order_id) WHERE (external_sales_order_id IS NOT NULL)'),
        ('public.idx_so_pre_estimation', 'btree (sales_pre_estimation_id) WHERE (sales_pre_estimation_id IS NOT NULL)'),
        ('public.idx_so_risk_acknowledged_by', 'btree (risk_acknowledged_by) WHERE (risk_acknowledged_by IS NOT NULL)'),
        ('public.idx_so_risk_assessed_at', 'btree (risk_assessed_at)'),
        ('public.idx_so_risk_level', 'btree (risk_level) WHERE ((risk_level)::text = ANY ((ARRAY[''HIGH''::character varying, ''CRITICAL''::character varying])::text[]))'),
        ('public.idx_so_sales_potential', 'btree (sales_potential) WHERE ((service_type)::text = ANY ((ARRAY[''TV''::character varying, ''QUOTATION''::character varying])::text[]))'),
        ('public.idx_stores_is_active', 'btree (is_active)'),
        ('public.idx_stores_search', 'gin (to_tsvector(''simple''::regconfig, (((name)::text || '' ''::text) || COALESCE((address ->> ''city''::text), ''''::text))))')
    ) AS w (name, definition)
    WHERE NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_index AS i
        WHERE i.indexrelid = to_regclass(w.name)
          AND i.indisvalid
          AND pg_temp.without_casts(regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ',
                                                   CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END))
              = pg_temp.without_casts(w.definition)
    );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: missing or different index: %', v_found;
    END IF;
END;
$$;

-- Every partition has each index of its table.
DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(format('%s on %s', x.indexrelid::REGCLASS, h.inhrelid::REGCLASS), ', ') INTO v_found
    FROM pg_catalog.pg_partitioned_table AS t
    JOIN pg_catalog.pg_index AS x ON x.indrelid = t.partrelid
    JOIN pg_catalog.pg_inherits AS h ON h.inhparent = t.partrelid
    WHERE t.partrelid IN (
        'app.tasks'::REGCLASS, 'app.notifications'::REGCLASS, 'analytics.events'::REGCLASS,
        'analytics.page_views'::REGCLASS, 'audit.audit_log'::REGCLASS
    )
      AND NOT EXISTS (
          SELECT
          FROM pg_catalog.pg_inherits AS c
          JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.inhrelid
          WHERE c.inhparent = x.indexrelid
            AND i.indrelid = h.inhrelid
      );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: a partition has not the index of its table: %', v_found;
    END IF;
END;
$$;

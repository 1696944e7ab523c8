-- check: every table has its primary key, time zones in every time column, no index twice, and the indexes that queries use.

DO $$
DECLARE
    v_tables REGCLASS[] := ARRAY[
        'accounts', 'users', 'teams', 'inboxes', 'contacts', 'conversations', 'messages', 'labels', 'contact_labels',
        'channel_whatsapp', 'channel_api'
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
     AND j.indoption::TEXT = i.indoption::TEXT
     AND pg_get_expr(j.indexprs, j.indrelid) IS NOT DISTINCT FROM pg_get_expr(i.indexprs, i.indrelid)
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

-- The indexes, by what they index.
DO $$
DECLARE
    v_missing TEXT;
BEGIN
    SELECT string_agg(want.name, ', ' ORDER BY want.name) INTO v_missing
    FROM (VALUES
        ('index_inboxes_on_account_id', 'btree (account_id)'),
        ('index_contacts_on_account_id', 'btree (account_id)'),
        ('index_contacts_on_email', 'btree (email)'),
        ('index_contacts_on_phone_number', 'btree (phone_number)'),
        ('index_conversations_on_account_id', 'btree (account_id)'),
        ('index_conversations_on_contact_id', 'btree (contact_id)'),
        ('index_conversations_on_inbox_id', 'btree (inbox_id)'),
        ('index_conversations_on_status', 'btree (status)'),
        ('index_conversations_on_last_activity_at', 'btree (last_activity_at DESC)'),
        ('index_conversations_on_uuid', 'btree (uuid)'),
        ('index_messages_on_conversation_id', 'btree (conversation_id)'),
        ('index_messages_on_account_id', 'btree (account_id)'),
        ('index_messages_on_created_at', 'btree (created_at DESC)'),
        ('index_messages_on_source_id', 'btree (source_id)'),
        ('index_labels_on_account_id', 'btree (account_id)'),
        ('index_contact_labels_on_contact_id', 'btree (contact_id)'),
        ('index_contact_labels_on_label_id', 'btree (label_id)'),
        ('idx_contacts_custom_attributes', 'gin (custom_attributes)'),
        ('idx_contacts_lead_status', 'btree (((custom_attributes ->> ''lead_status''::text)))'),
        ('idx_contacts_lead_source', 'btree (((custom_attributes ->> ''lead_source''::text)))'),
        ('idx_contacts_instagram_handle', 'btree (((custom_attributes ->> ''instagram_handle''::text)))')
    ) AS want (name, definition)
    WHERE to_regclass(want.name) IS NULL
       OR pg_get_indexdef(to_regclass(want.name)) NOT LIKE '% USING ' || replace(want.definition, '_', '\_');
    IF v_missing IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: missing or different index: %', v_missing;
    END IF;
END;
$$;

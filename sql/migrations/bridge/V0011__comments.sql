-- bridge V0011: what the tables, columns and functions are for, for \d+ and \df+.
-- Lock: SHARE UPDATE EXCLUSIVE on each table, which stops neither reads nor writes; catalog only.

COMMENT ON TABLE contact_mappings IS 'Maps Chatwoot contacts to Krayin leads and persons';
COMMENT ON COLUMN contact_mappings.chatwoot_contact_id IS 'Chatwoot contact ID (unique, indexed)';
COMMENT ON COLUMN contact_mappings.krayin_lead_id IS 'Krayin lead ID (nullable for existing customers)';
COMMENT ON COLUMN contact_mappings.krayin_person_id IS 'Krayin person ID (nullable for new leads)';

COMMENT ON TABLE conversation_mappings IS 'Maps Chatwoot conversations to Krayin leads';
COMMENT ON COLUMN conversation_mappings.status IS 'Conversation status: open, resolved, pending, snoozed';
COMMENT ON COLUMN conversation_mappings.message_count IS 'Cached count of messages (updated via trigger); dropping old partitions does not lower it';

COMMENT ON TABLE activity_mappings IS 'Maps Chatwoot messages to Krayin activities (partitioned by month)';
COMMENT ON COLUMN activity_mappings.message_type IS 'Message type: incoming, outgoing, activity';

COMMENT ON TABLE activity_message_keys IS 'Keeps chatwoot_message_id unique over all partitions of activity_mappings (filled and freed by its triggers)';

COMMENT ON TABLE ai_insights IS 'AI-generated insights with historical tracking (time-series design)';
COMMENT ON COLUMN ai_insights.performance_score IS 'Performance score 0-10 (10 = excellent)';
COMMENT ON COLUMN ai_insights.is_current IS 'TRUE for current record, FALSE for historical';
COMMENT ON COLUMN ai_insights.valid_from IS 'Start of validity period';
COMMENT ON COLUMN ai_insights.valid_to IS 'End of validity period (NULL for current)';

COMMENT ON TABLE stage_change_logs IS 'Audit log for lead stage changes (partitioned by quarter, 5-year retention)';
COMMENT ON COLUMN stage_change_logs.trigger_source IS 'Source: webhook, manual, automation';

COMMENT ON TABLE consent_records IS 'LGPD: Tracks all consent given/withdrawn by contacts (5-year retention required)';

COMMENT ON TABLE audit_logs IS 'LGPD: Complete audit trail (partitioned by quarter, 5-year retention)';

COMMENT ON FUNCTION create_monthly_partitions() IS 'Partitions ahead of time: messages this month to three ahead, logs this quarter and the next';
COMMENT ON FUNCTION drop_old_partitions(INT) IS 'Drops whole partitions of activity_mappings older than so many months, and the keys of their messages';
COMMENT ON FUNCTION update_ai_insights(BIGINT, JSONB) IS 'Makes the metrics the current insight of the lead and closes the one before; returns the id';

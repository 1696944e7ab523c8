-- bridge D0011: undoes V0011, the comments.
-- Lock: SHARE UPDATE EXCLUSIVE on each table, which stops neither reads nor writes; catalog only.

COMMENT ON TABLE contact_mappings IS NULL;
COMMENT ON COLUMN contact_mappings.chatwoot_contact_id IS NULL;
COMMENT ON COLUMN contact_mappings.krayin_lead_id IS NULL;
COMMENT ON COLUMN contact_mappings.krayin_person_id IS NULL;
COMMENT ON TABLE conversation_mappings IS NULL;
COMMENT ON COLUMN conversation_mappings.status IS NULL;
COMMENT ON COLUMN conversation_mappings.message_count IS NULL;
COMMENT ON TABLE activity_mappings IS NULL;
COMMENT ON COLUMN activity_mappings.message_type IS NULL;
COMMENT ON TABLE activity_message_keys IS NULL;
COMMENT ON TABLE ai_insights IS NULL;
COMMENT ON COLUMN ai_insights.performance_score IS NULL;
COMMENT ON COLUMN ai_insights.is_current IS NULL;
COMMENT ON COLUMN ai_insights.valid_from IS NULL;
COMMENT ON COLUMN ai_insights.valid_to IS NULL;
COMMENT ON TABLE stage_change_logs IS NULL;
COMMENT ON COLUMN stage_change_logs.trigger_source IS NULL;
COMMENT ON TABLE consent_records IS NULL;
COMMENT ON TABLE audit_logs IS NULL;
COMMENT ON FUNCTION create_monthly_partitions() IS NULL;
COMMENT ON FUNCTION drop_old_partitions(INT) IS NULL;
COMMENT ON FUNCTION update_ai_insights(BIGINT, JSONB) IS NULL;

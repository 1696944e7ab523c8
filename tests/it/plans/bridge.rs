//! bridge: lookups between the two programs, the inbox, the messages of a conversation, insights.

use super::Subject;
use super::explain::{Call, Query, call, ordered, query};

const SUBJECT: Subject = Subject {
    system: "bridge",
    scale: 1,
    rows: include_str!("../../fixtures/rows/bridge.sql"),
    queries: QUERIES,
    calls: CALLS,
};

const QUERIES: &[Query] = &[
    query(
        "the lead of a contact",
        "SELECT * FROM contact_mappings WHERE chatwoot_contact_id = 1000100",
        &["contact_mappings_chatwoot_contact_id_key"],
    ),
    query(
        "the contact of a lead",
        "SELECT * FROM contact_mappings WHERE krayin_lead_id = 1000100",
        &["idx_contact_mappings_lead_contact"],
    ),
    query(
        "the contact of a person",
        "SELECT * FROM contact_mappings WHERE krayin_person_id = 5000010",
        &["idx_contact_mappings_krayin_person_id"],
    ),
    query(
        "a conversation",
        "SELECT * FROM conversation_mappings WHERE chatwoot_conversation_id = 1000100",
        &["conversation_mappings_chatwoot_conversation_id_key"],
    ),
    query(
        "the conversations of a lead, newest first",
        "SELECT * FROM conversation_mappings WHERE krayin_lead_id = 1000102 ORDER BY updated_at DESC LIMIT 20",
        &["idx_conversation_mappings_lead_updated"],
    ),
    query(
        "the conversations of a lead with a status",
        "SELECT * FROM conversation_mappings WHERE krayin_lead_id = 1000102 AND status = 'pending'",
        &["idx_conversation_mappings_lead_status"],
    ),
    query(
        "the open conversations of a lead, newest first",
        "SELECT * FROM conversation_mappings WHERE krayin_lead_id = 1000102 AND status = 'open' ORDER BY updated_at DESC",
        &["idx_conversation_mappings_open_conversations"],
    ),
    ordered(
        "the inbox: conversations with a status, newest first",
        "SELECT * FROM conversation_mappings WHERE status = 'pending' ORDER BY updated_at DESC LIMIT 50",
        &["idx_conversation_mappings_status_updated"],
    ),
    ordered(
        "the messages of a conversation, newest first",
        "SELECT * FROM activity_mappings WHERE conversation_id = 1000000 ORDER BY created_at DESC LIMIT 50",
        &["idx_activity_mappings_conversation_created"],
    ),
    query(
        "all messages of a conversation",
        "SELECT * FROM activity_mappings WHERE conversation_id = 1000500",
        &["idx_activity_mappings_conversation_created"],
    ),
    query(
        "a message",
        "SELECT * FROM activity_mappings WHERE chatwoot_message_id = 100000100",
        &["idx_activity_mappings_chatwoot_message_id"],
    ),
    query(
        "the message of an activity",
        "SELECT * FROM activity_mappings WHERE krayin_activity_id = 200000100",
        &["idx_activity_mappings_krayin_activity_id"],
    ),
    ordered(
        "the newest messages",
        "SELECT * FROM activity_mappings ORDER BY created_at DESC LIMIT 50",
        &["idx_activity_mappings_created_at"],
    ),
    query(
        "the current insight of a lead",
        "SELECT * FROM ai_insights WHERE krayin_lead_id = 1000100 AND is_current",
        &["unique_current_insight"],
    ),
    query(
        "the history of a lead's insights",
        "SELECT * FROM ai_insights WHERE krayin_lead_id = 1000100 AND is_current = FALSE ORDER BY calculated_at DESC",
        &["idx_ai_insights_lead_time"],
    ),
    ordered(
        "the best leads",
        "SELECT * FROM ai_insights WHERE is_current ORDER BY performance_score DESC LIMIT 20",
        &["idx_ai_insights_score_current"],
    ),
    ordered(
        "the best leads of an engagement level",
        "SELECT * FROM ai_insights WHERE is_current AND engagement_level = 'low' ORDER BY performance_score DESC LIMIT 20",
        &["idx_ai_insights_engagement_current"],
    ),
    ordered(
        "the best leads that decline",
        "SELECT * FROM ai_insights WHERE is_current AND trend = 'declining' ORDER BY performance_score DESC LIMIT 20",
        &["idx_ai_insights_trend"],
    ),
    query(
        "the stages of a lead",
        "SELECT * FROM stage_change_logs WHERE krayin_lead_id = 1000100 ORDER BY created_at DESC",
        &["idx_stage_change_logs_krayin_lead_id"],
    ),
    ordered(
        "the newest stage changes of a source",
        "SELECT * FROM stage_change_logs WHERE trigger_source = 'manual' ORDER BY created_at DESC LIMIT 50",
        &["idx_stage_change_logs_trigger_source"],
    ),
    query(
        "a valid consent",
        "SELECT * FROM consent_records \
         WHERE contact_id = 1000100 AND consent_type = 'marketing' AND status = 'granted' AND withdrawn_at IS NULL",
        &["idx_consent_valid"],
    ),
    query(
        "the consents of a chat contact",
        "SELECT * FROM consent_records WHERE chatwoot_contact_id = 1000100",
        &["idx_consent_chatwoot_contact"],
    ),
    ordered(
        "what a user did",
        "SELECT * FROM audit_logs WHERE user_id = 7 ORDER BY created_at DESC LIMIT 50",
        &["idx_audit_logs_user"],
    ),
    query(
        "what was done to an object",
        "SELECT * FROM audit_logs WHERE model = 'ContactMapping' AND model_id = 1000100 ORDER BY created_at DESC",
        &["idx_audit_logs_model"],
    ),
    ordered(
        "the newest exports",
        "SELECT * FROM audit_logs WHERE action = 'export' ORDER BY created_at DESC LIMIT 50",
        &["idx_audit_logs_action"],
    ),
    query(
        "the inbox with contact, insight and messages",
        "SELECT v.chatwoot_conversation_id, v.updated_at, c.chatwoot_contact_id, i.performance_score, m.messages \
         FROM conversation_mappings AS v \
         JOIN contact_mappings AS c ON c.krayin_lead_id = v.krayin_lead_id \
         LEFT JOIN ai_insights AS i ON i.krayin_lead_id = v.krayin_lead_id AND i.is_current \
         CROSS JOIN LATERAL (SELECT count(*) AS messages FROM activity_mappings AS a \
             WHERE a.conversation_id = v.chatwoot_conversation_id) AS m \
         WHERE v.status = 'open' ORDER BY v.updated_at DESC LIMIT 50",
        &[
            "idx_conversation_mappings_status_updated",
            "idx_contact_mappings_lead_contact",
            "unique_current_insight",
            "idx_activity_mappings_conversation_created",
        ],
    ),
];

const CALLS: &[Call] = &[
    call(
        "an insight takes the place of the one before",
        "SELECT update_ai_insights(1000100, '{\"performance_score\": 7.5}')",
        &["unique_current_insight"],
    ),
    call(
        "a message claims its id and is counted",
        "INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type) \
              VALUES (1, 1, 1000100, 'incoming')",
        &["conversation_mappings_chatwoot_conversation_id_key"],
    ),
    call(
        "a deleted message frees its id and is no longer counted",
        "DELETE FROM activity_mappings WHERE chatwoot_message_id = 100000100",
        &["activity_message_keys_pkey", "conversation_mappings_chatwoot_conversation_id_key"],
    ),
];

#[test]
fn bridge_uses_its_indexes() {
    SUBJECT.holds_everywhere(&[]);
}

//! consultor: the table of query patterns in its document, and the same through row level security.

use super::Subject;
use super::explain::{Query, ordered, query};

const SUBJECT: Subject = Subject { system: "consultor", scale: 8, rows: "", queries: QUERIES, calls: &[] };

/// One consultant of the sample rows, with leads, who is signed in.
const SIGNED_IN: &str = "SELECT set_config('request.jwt.claims', json_build_object('sub', c.id)::text, TRUE) \
     FROM consultants AS c WHERE EXISTS (SELECT FROM leads AS l WHERE l.consultant_id = c.id) ORDER BY c.id LIMIT 1; \
     SET LOCAL ROLE authenticated";

const QUERIES: &[Query] = &[
    query(
        "login",
        "SELECT id, password_hash FROM consultants WHERE email = 'nobody@exemplo.invalid'",
        &["consultants_email_key"],
    ),
    query("public profile", "SELECT * FROM consultants WHERE slug = 'ana-silva'", &["consultants_slug_key"]),
    query(
        "the leads of a consultant",
        "SELECT * FROM leads WHERE consultant_id = '00000000-0000-4000-8000-000000000000'",
        &["leads_consultant_id_whatsapp_number_key|idx_leads_consultant_status_date"],
    ),
    query(
        "the leads of a consultant with a status, newest first",
        "SELECT * FROM leads WHERE consultant_id = '00000000-0000-4000-8000-000000000000' AND status = 'novo' \
         ORDER BY created_at DESC LIMIT 20",
        &["idx_leads_consultant_status_date"],
    ),
    query("a lead by number", "SELECT * FROM leads WHERE whatsapp_number = '+5511900000000'", &["idx_leads_whatsapp"]),
    query(
        "leads by answers",
        "SELECT * FROM leads WHERE respostas @> '{\"perfil\": \"nobody\"}'",
        &["idx_leads_respostas_gin"],
    ),
    ordered(
        "the conversations that moved last",
        "SELECT * FROM conversations ORDER BY updated_at DESC LIMIT 50",
        &["idx_conversations_updated_at"],
    ),
    query(
        "the active conversation of a lead",
        "SELECT * FROM conversations WHERE lead_id = '00000000-0000-4000-8000-000000000000' AND NOT is_completed",
        &["idx_conversations_one_active"],
    ),
    query(
        "a chat in order",
        "SELECT * FROM messages WHERE conversation_id = '00000000-0000-4000-8000-000000000000' ORDER BY created_at",
        &["idx_messages_conversation_id"],
    ),
    query(
        "a webhook that comes twice",
        "SELECT FROM messages WHERE whatsapp_message_id = 'wamid.1'",
        &["idx_messages_whatsapp_id_unique"],
    ),
    query(
        "the dashboard's page of leads with their messages",
        "SELECT l.id, (SELECT count(*) FROM conversations AS v JOIN messages AS m ON m.conversation_id = v.id \
             WHERE v.lead_id = l.id) AS message_count \
         FROM leads AS l WHERE l.consultant_id = '00000000-0000-4000-8000-000000000000' AND l.status = 'novo' \
         ORDER BY l.created_at DESC, l.id DESC LIMIT 20",
        &["idx_leads_consultant_status_date", "idx_conversations_lead_flow_completed", "idx_messages_conversation_id"],
    ),
    ordered(
        "messages that are old enough for the archive",
        "SELECT id FROM messages WHERE created_at < now() - INTERVAL '5 years' ORDER BY created_at LIMIT 1000",
        &["idx_messages_created_at"],
    ),
    Query {
        first: SIGNED_IN,
        ..query(
            "one's own leads, with row level security",
            "SELECT * FROM leads WHERE status = 'novo' ORDER BY created_at DESC LIMIT 20",
            &["idx_leads_consultant_status_date"],
        )
    },
    // The policy collects the conversations of the consultant before it looks at the chat's.
    Query {
        first: SIGNED_IN,
        whole: &["conversations"],
        ..query(
            "a chat, with row level security",
            "SELECT * FROM messages WHERE conversation_id = '00000000-0000-4000-8000-000000000000' ORDER BY created_at",
            &["idx_messages_conversation_id"],
        )
    },
];

#[test]
fn consultor_uses_its_indexes() {
    SUBJECT.holds_everywhere(&[]);
}

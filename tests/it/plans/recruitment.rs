//! recruitment: custom attributes by their indexes, and documents by their nearness.

use dbctl::pg::sandbox::Options;

use super::Subject;
use super::explain::{Call, Query, call, ordered, query};
use crate::harness::{Database, majors, private_server, vector_installation};

const SUBJECT: Subject = Subject {
    system: "recruitment",
    scale: 1,
    rows: include_str!("../../fixtures/rows/recruitment.sql"),
    queries: QUERIES,
    calls: &[],
};

const WITH_VECTORS: Subject = Subject { queries: VECTOR_QUERIES, calls: VECTOR_CALLS, ..SUBJECT };

const QUERIES: &[Query] = &[
    query(
        "contacts by lead status",
        "SELECT id, name, custom_attributes->>'ai_summary' FROM contacts \
         WHERE custom_attributes->>'lead_status' = 'qualified' AND account_id = 1",
        &["idx_contacts_lead_status"],
    ),
    query(
        "contacts by budget",
        "SELECT name, custom_attributes->>'budget_range' FROM contacts \
         WHERE safe_numeric(custom_attributes->>'budget_min') >= 70000 AND account_id = 1 \
         ORDER BY safe_numeric(custom_attributes->>'qualification_score') DESC NULLS LAST",
        &["idx_contacts_budget_min"],
    ),
    query(
        "scraped leads with many followers",
        "SELECT name, custom_attributes->>'instagram_handle' FROM contacts \
         WHERE custom_attributes->>'lead_source' = 'instagram_scrape' \
           AND safe_integer(custom_attributes->>'follower_count') > 10000 \
         ORDER BY safe_integer(custom_attributes->>'follower_count') DESC NULLS LAST",
        &["idx_contacts_lead_source"],
    ),
    query(
        "qualified leads with a high score",
        "SELECT * FROM contacts WHERE custom_attributes->>'lead_status' = 'qualified' \
         AND safe_numeric(custom_attributes->>'qualification_score') > 8.0",
        &["idx_contacts_lead_status|idx_contacts_qualification_score"],
    ),
    ordered(
        "the highest scores",
        "SELECT * FROM contacts ORDER BY safe_numeric(custom_attributes->>'qualification_score') DESC NULLS LAST LIMIT 20",
        &["idx_contacts_qualification_score"],
    ),
    query(
        "the highest scores by the view",
        "SELECT * FROM contact_attributes_view WHERE qualification_score > 9.9",
        &["idx_contacts_qualification_score"],
    ),
    query(
        "a contact by handle",
        "SELECT * FROM contacts WHERE custom_attributes->>'instagram_handle' = '@sample77'",
        &["idx_contacts_instagram_handle"],
    ),
    query(
        "contacts by any attributes",
        "SELECT * FROM contacts WHERE custom_attributes @> '{\"lead_status\": \"customer\", \"budget_min\": 71000}'",
        &["idx_contacts_custom_attributes"],
    ),
    query(
        "contacts by label",
        "SELECT c.name, c.email, l.title FROM contacts AS c JOIN contact_labels AS cl ON c.id = cl.contact_id \
         JOIN labels AS l ON cl.label_id = l.id WHERE l.title = 'sample-7' AND l.account_id = 1 AND c.account_id = 1",
        &["index_contact_labels_on_label_id", "contacts_pkey"],
    ),
    query(
        "a contact by email",
        "SELECT * FROM contacts WHERE email = 'contact77@sample.invalid' AND account_id = 3",
        &["unique_email_per_account|index_contacts_on_email"],
    ),
    query(
        "a contact by number",
        "SELECT * FROM contacts WHERE phone_number = '+316900000077' AND account_id = 3",
        &["unique_phone_per_account|index_contacts_on_phone_number"],
    ),
    query(
        "the conversations of a contact",
        "SELECT * FROM conversations WHERE contact_id = 1000077",
        &["index_conversations_on_contact_id"],
    ),
    ordered(
        "the conversations that moved last",
        "SELECT * FROM conversations ORDER BY last_activity_at DESC LIMIT 50",
        &["index_conversations_on_last_activity_at"],
    ),
    query(
        "the messages of a conversation",
        "SELECT * FROM messages WHERE conversation_id = 1000077 ORDER BY created_at",
        &["index_messages_on_conversation_id"],
    ),
    query(
        "a message by its id outside",
        "SELECT * FROM messages WHERE source_id = 'wamid.77'",
        &["index_messages_on_source_id"],
    ),
];

const VECTOR_QUERIES: &[Query] = &[
    ordered(
        "the nearest documents",
        "SELECT d.id FROM documents AS d WHERE d.is_active AND d.embedding IS NOT NULL \
         ORDER BY d.embedding <=> (SELECT o.embedding FROM documents AS o WHERE o.id = 1000077) LIMIT 5",
        &["idx_documents_embedding"],
    ),
    query(
        "documents by metadata",
        "SELECT * FROM documents WHERE metadata @> '{\"number\": 77}'",
        &["idx_documents_metadata"],
    ),
    query(
        "documents by metadata, as match_documents filters",
        "SELECT * FROM documents WHERE is_active AND document_metadata_matches(metadata, '{\"number\": 77}')",
        &["idx_documents_metadata"],
    ),
    query(
        "documents by comparison, as match_documents filters",
        "SELECT * FROM documents WHERE is_active AND document_metadata_matches(metadata, '{\"number\": {\"$eq\": 77}}')",
        &["idx_documents_metadata"],
    ),
];

const VECTOR_CALLS: &[Call] = &[
    call(
        "match_documents without a filter",
        "SELECT m.* FROM documents AS o CROSS JOIN LATERAL match_documents(o.embedding) AS m WHERE o.id = 1000077",
        &["idx_documents_embedding"],
    ),
    // So few documents are compared one by one if the planner may; what is seen is that the filter lets the index in.
    Call {
        first: "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off",
        ..call(
            "match_documents within a category of many",
            "SELECT m.* FROM documents AS o CROSS JOIN LATERAL match_documents(o.embedding, 0.5, 5, 'vacancy') AS m \
              WHERE o.id = 1000077",
            &["idx_documents_embedding"],
        )
    },
    call(
        "match_documents with a filter that leaves few",
        "SELECT m.* FROM documents AS o \
              CROSS JOIN LATERAL match_documents(o.embedding, 0.5, 5, NULL, '{\"number\": {\"$in\": [77, 78, 79]}}') AS m \
              WHERE o.id = 1000077",
        &["idx_documents_metadata"],
    ),
];

/// 1,600 documents around fifty subjects, half of them vacancies.
fn add_documents(database: &Database) {
    database.sql(
        "BEGIN; SELECT setseed(0.5); \
         CREATE TEMPORARY TABLE subjects ON COMMIT DROP AS \
         SELECT s.n, array_agg(random() - 0.5 ORDER BY d.n) AS centre \
         FROM generate_series(0, 49) AS s (n) CROSS JOIN generate_series(1, 1536) AS d (n) GROUP BY s.n; \
         INSERT INTO documents (id, content, title, category, metadata, embedding) \
         SELECT 1000000 + g.n, repeat('What the document says. ', 60), 'Document ' || g.n, CASE WHEN g.n % 2 = 0 THEN 'vacancy' ELSE 'faq' END, \
                jsonb_build_object('number', g.n), \
                (SELECT array_agg(c.value + (random() - 0.5) * 0.4 ORDER BY c.at) \
                 FROM unnest(s.centre) WITH ORDINALITY AS c (value, at) WHERE g.n >= 0)::vector \
         FROM generate_series(0, 1599) AS g (n) JOIN subjects AS s ON s.n = g.n % 50; COMMIT",
    );
}

#[test]
fn recruitment_uses_its_indexes() {
    SUBJECT.holds_everywhere(&["vector"]);
}

#[test]
fn recruitment_finds_documents_by_the_index_on_servers_with_pgvector() {
    let mut installed: Vec<_> = [18, 16].into_iter().filter_map(vector_installation).collect();
    installed.truncate(majors().len());
    for installation in installed {
        let sandbox = private_server(&Options { bin_dir: Some(installation.bin_dir), ..Options::default() });
        WITH_VECTORS.holds_on(&sandbox, &[], add_documents);
    }
}

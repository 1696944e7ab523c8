//! fsm: tasks of a project, what is unread, who did what, orders of a sales system and channel.

use super::Subject;
use super::explain::{Call, Query, call, ordered, query};

const SUBJECT: Subject = Subject {
    system: "fsm",
    scale: 1,
    rows: include_str!("../../fixtures/rows/fsm.sql"),
    queries: QUERIES,
    calls: CALLS,
};

const QUERIES: &[Query] = &[
    query("login", "SELECT * FROM auth.users WHERE email = 'sample77@sample.invalid'", &["users_email_key"]),
    query(
        "users by words",
        "SELECT * FROM auth.users WHERE to_tsvector('english', COALESCE(first_name, '') || ' ' || COALESCE(last_name, '') \
         || ' ' || COALESCE(email, '')) @@ to_tsquery('english', 'number77')",
        &["idx_users_fulltext"],
    ),
    query(
        "a session by token",
        "SELECT * FROM auth.sessions WHERE token_hash = md5('token 77')",
        &["sessions_token_hash_key"],
    ),
    ordered(
        "sessions that have expired",
        "SELECT id FROM auth.sessions WHERE expires_at < now() ORDER BY expires_at LIMIT 100",
        &["idx_sessions_expires_at"],
    ),
    query(
        "a member of an organization",
        "SELECT * FROM app.organization_members WHERE organization_id = '10000000-0000-4000-8000-000000000007' \
         AND user_id = '00000000-0000-4000-8000-000000000007'",
        &["organization_members_organization_id_user_id_key|idx_org_members_user_id"],
    ),
    query(
        "the tasks of a project with a status, most urgent first",
        "SELECT * FROM app.tasks WHERE project_id = '20000000-0000-4000-8000-000000000007' AND status = 'todo' \
         AND deleted_at IS NULL ORDER BY app.priority_rank(priority) DESC LIMIT 20",
        &["idx_tasks_project_status_priority"],
    ),
    query(
        "the tasks of a project",
        "SELECT * FROM app.tasks WHERE project_id = '20000000-0000-4000-8000-000000000007'",
        &["idx_tasks_project_id"],
    ),
    query(
        "the tasks of an assignee",
        "SELECT * FROM app.tasks WHERE assignee_id = '00000000-0000-4000-8000-000000000007' AND deleted_at IS NULL",
        &["idx_tasks_assignee_id"],
    ),
    query(
        "a task by id alone",
        "SELECT * FROM app.tasks WHERE id = '30000000-0000-4000-8000-000000000007'",
        &["tasks_pkey"],
    ),
    query(
        "tasks by words",
        "SELECT * FROM app.tasks WHERE to_tsvector('english', COALESCE(title, '') || ' ' || COALESCE(description, '')) \
         @@ to_tsquery('english', 'boiler')",
        &["idx_tasks_fulltext"],
    ),
    query("tasks by tag", "SELECT * FROM app.tasks WHERE tags @> ARRAY['tag7']", &["idx_tasks_tags"]),
    query("tasks by metadata", "SELECT * FROM app.tasks WHERE metadata @> '{\"ticket\": 7}'", &["idx_tasks_metadata"]),
    query(
        "the comments of a task",
        "SELECT * FROM app.comments WHERE task_id = '30000000-0000-4000-8000-000000000008' AND deleted_at IS NULL \
         ORDER BY created_at",
        &["idx_comments_task_id"],
    ),
    query(
        "what a user has not read, newest first",
        "SELECT * FROM app.notifications WHERE user_id = '00000000-0000-4000-8000-000000000000' AND is_read = FALSE \
         ORDER BY created_at DESC LIMIT 20",
        &["idx_notifications_user_unread"],
    ),
    query(
        "what was done to a row",
        "SELECT * FROM audit.audit_log WHERE table_name = 'tasks' AND record_id = '30000000-0000-4000-8000-000000000007'",
        &["idx_audit_table_record"],
    ),
    query(
        "what a user did",
        "SELECT * FROM audit.audit_log WHERE user_id = '00000000-0000-4000-8000-000000000007'",
        &["idx_audit_user_id"],
    ),
    query(
        "the orders of a sales system and channel in a country, last 30 days",
        "SELECT so.id, so.sales_order_id, so.sales_channel, ss.name, bu.name, s.name, so.status \
         FROM service_orders AS so JOIN sales_systems AS ss ON so.sales_system_id = ss.id \
         JOIN business_units AS bu ON so.business_unit_id = bu.id JOIN stores AS s ON so.store_id = s.id \
         WHERE so.country_code = 'ES' AND ss.code = 'PYXIS' AND so.sales_channel = 'ONLINE' \
         AND so.order_date >= now() - INTERVAL '30 days'",
        &["idx_service_orders_order_date"],
    ),
    query(
        "sales channels compared, last 30 days",
        "SELECT so.sales_channel, bu.name, count(*), avg((so.scheduled_date - so.order_date::DATE) * 24), \
         round(100.0 * count(*) FILTER (WHERE so.status = 'COMPLETED') / count(*), 2) \
         FROM service_orders AS so JOIN business_units AS bu ON so.business_unit_id = bu.id \
         WHERE so.order_date >= now() - INTERVAL '30 days' GROUP BY so.sales_channel, bu.name ORDER BY count(*) DESC",
        &["idx_service_orders_order_date"],
    ),
    query(
        "an order by its line in the sales system",
        "SELECT so.* FROM service_orders AS so JOIN sales_systems AS ss ON ss.id = so.sales_system_id \
         WHERE ss.code = 'PYXIS' AND so.sales_order_id = 'ORDER-9' AND so.sales_order_line_id = '1'",
        &["idx_service_orders_sales_order_unique|idx_service_orders_sales_order_id"],
    ),
    query(
        "an order by its id outside",
        "SELECT * FROM service_orders WHERE external_system_source = 'PYXIS' AND external_sales_order_id = 'EXT-7'",
        &["idx_so_external_sales_order"],
    ),
    query(
        "the dashboard of risk and potential",
        "SELECT * FROM service_orders WHERE service_type IN ('TV', 'QUOTATION', 'INSTALLATION') AND risk_level = 'CRITICAL' \
         AND sales_potential = 'HIGH' AND status = 'SCHEDULED' ORDER BY scheduled_date LIMIT 50",
        &["idx_so_dashboard_risk_potential"],
    ),
    query(
        "what an id outside stands for",
        "SELECT * FROM external_reference_mappings WHERE external_system_source = 'PYXIS' \
         AND external_reference_type = 'SALES_ORDER' AND external_reference_id = 'EXT-9'",
        &["idx_external_ref_external"],
    ),
    query(
        "the ids outside of an order",
        "SELECT * FROM external_reference_mappings WHERE fsm_entity_type = 'SERVICE_ORDER' \
         AND fsm_entity_id = '70000000-0000-4000-8000-000000000007'",
        &["idx_external_ref_fsm_entity"],
    ),
];

const CALLS: &[Call] = &[
    call(
        "a comment looks for its task",
        "INSERT INTO app.comments (task_id, user_id, content) VALUES \
              ('30000000-0000-4000-8000-000000000007', '00000000-0000-4000-8000-000000000007', 'Done')",
        &["app.tasks_pkey"],
    ),
    call(
        "a deleted task takes its comments along",
        "DELETE FROM app.tasks WHERE id = '30000000-0000-4000-8000-000000000008'",
        &["app.tasks_pkey", "app.idx_comments_task_id"],
    ),
];

#[test]
fn fsm_uses_its_indexes() {
    SUBJECT.holds_everywhere(&[]);
}

//! chat: the page of a room, who is in it, what waits for a robot.

use super::Subject;
use super::explain::{Call, Query, call, ordered, query};

const SUBJECT: Subject = Subject {
    system: "chat",
    scale: 1,
    rows: include_str!("../../fixtures/rows/chat.sql"),
    queries: QUERIES,
    calls: CALLS,
};

const QUERIES: &[Query] = &[
    ordered(
        "the newest page of a room with 10,000 messages",
        "SELECT * FROM messages WHERE room_id = '10000000-0000-4000-8000-000000000000' AND deleted_at IS NULL \
         ORDER BY created_at DESC LIMIT 50",
        &["idx_messages_room_created_at"],
    ),
    ordered(
        "the page before a time",
        "SELECT * FROM messages WHERE room_id = '10000000-0000-4000-8000-000000000000' AND deleted_at IS NULL \
         AND created_at < now() - INTERVAL '40 days' ORDER BY created_at DESC LIMIT 50",
        &["idx_messages_room_created_at"],
    ),
    query(
        "what a user wrote, newest first",
        "SELECT * FROM messages WHERE sender_id = '00000000-0000-4000-8000-000000000007' ORDER BY created_at DESC LIMIT 50",
        &["idx_messages_sender_created_at"],
    ),
    query(
        "the files of a room",
        "SELECT * FROM messages WHERE message_type = 'file' AND room_id = '10000000-0000-4000-8000-000000000007' \
         AND deleted_at IS NULL",
        &["idx_messages_type_room|idx_messages_room_created_at"],
    ),
    query(
        "who is in a room",
        "SELECT p.user_id, p.role, u.display_name, u.current_status FROM room_participants AS p \
         JOIN users AS u ON u.id = p.user_id \
         WHERE p.room_id = '10000000-0000-4000-8000-000000000007' AND p.status = 'active'",
        &["idx_room_participants_room_active|pk_room_participants", "pk_users"],
    ),
    query(
        "the rooms of a user",
        "SELECT r.* FROM room_participants AS p JOIN chat_rooms AS r ON r.id = p.room_id \
         WHERE p.user_id = '00000000-0000-4000-8000-000000000007' AND p.status = 'active'",
        &["idx_room_participants_user_active"],
    ),
    query(
        "whether a user is in a room",
        "SELECT FROM room_participants WHERE room_id = '10000000-0000-4000-8000-000000000007' \
         AND user_id = '00000000-0000-4000-8000-000000000395'",
        &["pk_room_participants|idx_room_participants_user_room"],
    ),
    query(
        "who is online, and since when",
        "SELECT id FROM users WHERE current_status = 'online' ORDER BY last_seen_at DESC LIMIT 50",
        &["idx_users_status_last_seen"],
    ),
    ordered(
        "what waits for a robot, oldest first",
        "SELECT * FROM robot_interactions WHERE status = 'pending' ORDER BY created_at LIMIT 20",
        &["idx_robot_interactions_status"],
    ),
    ordered(
        "what a robot did last",
        "SELECT * FROM robot_interactions WHERE robot_id = 'robot-7' ORDER BY created_at DESC LIMIT 20",
        &["idx_robot_interactions_robot_id"],
    ),
    query(
        "the files of a message",
        "SELECT * FROM chat_file_attachments WHERE message_id = '20000000-0000-4000-8000-000000000032'",
        &["idx_chat_file_attachments_message"],
    ),
    ordered(
        "the files of a user, newest first",
        "SELECT * FROM chat_file_attachments WHERE owner_id = '00000000-0000-4000-8000-000000000007' \
         ORDER BY created_at DESC LIMIT 20",
        &["idx_chat_file_attachments_owner"],
    ),
];

/// The users of room 0, who have its history.
const AS_A_USER: &str =
    "SET LOCAL ROLE chat_app; SET LOCAL app.current_user_id = '00000000-0000-4000-8000-000000000000'";

const CALLS: &[Call] = &[
    Call {
        first: AS_A_USER,
        ..call(
            "the newest page of a room, with row level security",
            "SELECT id FROM messages WHERE room_id = '10000000-0000-4000-8000-000000000000' AND deleted_at IS NULL \
             ORDER BY created_at DESC LIMIT 50",
            &["idx_messages_room_created_at"],
        )
    },
    // my_contacts() takes my_rooms() for a thousand rooms, and reads everybody's participation.
    Call {
        first: AS_A_USER,
        whole: &["room_participants"],
        ..call(
            "who is in a room, with row level security",
            "SELECT p.user_id, u.display_name FROM room_participants AS p JOIN users AS u ON u.id = p.user_id \
             WHERE p.room_id = '10000000-0000-4000-8000-000000000000' AND p.status = 'active'",
            &["idx_room_participants_room_active", "pk_users"],
        )
    },
];

#[test]
fn chat_uses_its_indexes() {
    SUBJECT.holds_everywhere(&[]);
}

-- chat: sample rows for a demo: 4,000 messages in 60 rooms of 200 users over the last two years, with what belongs to
-- them, times dbctl.scale. The same ones for the same dbctl.seed; run it again: rows that are there are left alone.
-- Makes the partitions of those two years first. Rows come in blocks, so that a larger scale adds blocks to a smaller one.
-- Lock: ROW EXCLUSIVE, as any insert; the new partitions as create_monthly_partitions().

-- A number from 0 to p_choices - 1 that depends on p_key and the seed only.
CREATE OR REPLACE FUNCTION pg_temp.pick(p_key TEXT, p_choices INT)
RETURNS INT
LANGUAGE sql
STABLE
AS $$
    SELECT ((hashtextextended(p_key, COALESCE(NULLIF(current_setting('dbctl.seed', TRUE), ''), '1')::BIGINT) & 2147483647) % p_choices)::INT
$$;

CREATE OR REPLACE FUNCTION pg_temp.id(p_what TEXT, p_n INT)
RETURNS UUID
LANGUAGE sql
IMMUTABLE
AS $$ SELECT md5(format('chat demo %s %s', p_what, p_n))::UUID $$;

CREATE OR REPLACE FUNCTION pg_temp.scale()
RETURNS INT
LANGUAGE sql
STABLE
AS $$ SELECT COALESCE(NULLIF(current_setting('dbctl.scale', TRUE), ''), '1')::INT $$;

CREATE OR REPLACE FUNCTION pg_temp.first_day()
RETURNS TIMESTAMPTZ
LANGUAGE sql
STABLE
AS $$ SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') - INTERVAL '24 months') AT TIME ZONE 'UTC' $$;

SELECT create_monthly_partitions();
SELECT ensure_range_partitions('messages', 'month', pg_temp.first_day(), now());

-- Users: 0 of each block is a robot, every tenth a guest.
INSERT INTO users (id, username, first_name, last_name, email, password_hash, display_name, avatar_url, current_status, last_seen_at,
                   chat_preferences, account_type_informal, current_account_status, is_email_verified, created_at, updated_at)
SELECT
    pg_temp.id('user', g.n),
    lower(n.first_name) || '.' || lower(n.last_name) || '.' || g.n,
    n.first_name,
    n.last_name,
    lower(n.first_name) || '.' || lower(n.last_name) || '.' || g.n || '@example.org',
    'no log-in: sample row',
    n.first_name || ' ' || left(n.last_name, 1) || '.',
    CASE WHEN g.n % 3 = 0 THEN format('https://example.org/avatars/%s.png', g.n) END,
    (ARRAY['offline', 'offline', 'offline', 'online', 'away', 'busy'])[1 + pg_temp.pick('status ' || g.n, 6)],
    date_trunc('day', now()) - make_interval(mins => pg_temp.pick('seen ' || g.n, 60000)),
    jsonb_build_object('theme', (ARRAY['light', 'dark'])[1 + pg_temp.pick('theme ' || g.n, 2)],
                       'notifications', pg_temp.pick('notifications ' || g.n, 4) > 0,
                       'language', (ARRAY['en', 'de', 'pt', 'es'])[1 + pg_temp.pick('language ' || g.n, 4)]),
    (CASE WHEN g.n % 200 = 0 THEN 'robot' WHEN g.n % 10 = 9 THEN 'guest' WHEN g.n % 10 = 1 THEN 'support' WHEN g.n % 50 = 2 THEN 'supervisor' ELSE 'member' END)
        ::user_account_type_informal_enum,
    (CASE WHEN g.n % 200 <> 0 AND pg_temp.pick('account ' || g.n, 25) = 0 THEN 'suspended'
          WHEN pg_temp.pick('account ' || g.n, 10) = 1 THEN 'pending-verification' ELSE 'active' END)::user_account_status_enum,
    pg_temp.pick('account ' || g.n, 10) <> 1,
    pg_temp.first_day() - make_interval(days => pg_temp.pick('joined ' || g.n, 300)),
    pg_temp.first_day()
FROM generate_series(0, 200 * pg_temp.scale() - 1) AS g (n)
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN g.n % 200 = 0 THEN 'Robot' ELSE (ARRAY['Ana', 'Bruno', 'Clara', 'David', 'Elena', 'Felix', 'Greta', 'Hugo', 'Ines', 'Jonas', 'Karla', 'Leo', 'Maya', 'Nuno', 'Olga', 'Paul'])
            [1 + pg_temp.pick('first name ' || g.n, 16)] END,
        (ARRAY['Almeida', 'Becker', 'Costa', 'Duarte', 'Engel', 'Ferreira', 'Gomes', 'Huber', 'Iversen', 'Jansen', 'Keller', 'Lima', 'Moreau', 'Novak'])
            [1 + pg_temp.pick('last name ' || g.n, 14)]
) AS n (first_name, last_name)
WHERE NOT EXISTS (SELECT FROM users AS u WHERE u.id = pg_temp.id('user', g.n))
ON CONFLICT DO NOTHING;

-- Support may manage escalations, supervisors see and audit everything.
INSERT INTO user_access_permissions (user_id, permission_prefix, action, granted_at)
SELECT u.id, p.permission_prefix, p.action, pg_temp.first_day()
FROM generate_series(0, 200 * pg_temp.scale() - 1) AS g (n)
JOIN users AS u ON u.id = pg_temp.id('user', g.n)
JOIN (VALUES ('support', 'chat:room', 'create'), ('support', 'chat:escalation', 'read'), ('support', 'chat:escalation', 'manage'),
             ('supervisor', 'supervisor:chat', '*'), ('supervisor', 'chat:escalation', '*'), ('robot', 'chat:robot', '*')
) AS p (account_type, permission_prefix, action) ON p.account_type = u.account_type_informal::TEXT
ON CONFLICT DO NOTHING;

-- Rooms: the last ten of each block of 60 are escalated from the first ten.
INSERT INTO chat_rooms (id, name, description, room_type, status, issue_id, issue_description, is_private, guest_access_allowed, max_participants,
                        creator_id, parent_room_id, escalation_level, room_settings, created_at, updated_at, concluded_at, concluded_by_user_id, conclusion_summary)
SELECT
    pg_temp.id('room', g.n),
    t.topic || ' ' || g.n,
    CASE WHEN g.n % 2 = 0 THEN 'All about ' || lower(t.topic) END,
    r.room_type::room_type_enum,
    r.status::room_status_enum,
    CASE WHEN r.room_type IN ('support', 'escalated') THEN 'ISSUE-' || 1000 + g.n END,
    CASE WHEN r.room_type IN ('support', 'escalated') THEN t.topic || ' does not work as expected' END,
    r.room_type <> 'group' OR g.n % 5 = 0,
    g.n % 4 <> 3,
    CASE WHEN r.room_type = 'direct' THEN 12 WHEN g.n % 7 = 0 THEN NULL ELSE 50 END,
    pg_temp.id('user', g.n / 60 * 200 + 1 + g.n % 60),
    CASE WHEN r.room_type = 'escalated' THEN pg_temp.id('room', g.n - 50) END,
    CASE WHEN r.room_type = 'escalated' THEN 2 ELSE 1 END,
    jsonb_build_object('retention', 'default', 'slow_mode_seconds', pg_temp.pick('slow ' || g.n, 3) * 10, 'tags', jsonb_build_array(lower(t.topic), r.room_type)),
    r.created_at,
    r.created_at,
    CASE WHEN r.status = 'closed' THEN r.created_at + INTERVAL '90 days' END,
    CASE WHEN r.status = 'closed' THEN pg_temp.id('user', g.n / 60 * 200 + 1 + g.n % 60) END,
    CASE WHEN r.status = 'closed' THEN 'Solved together' END
FROM generate_series(0, 60 * pg_temp.scale() - 1) AS g (n)
CROSS JOIN LATERAL (SELECT (ARRAY['Billing', 'Shipping', 'Onboarding', 'Incidents', 'Planning', 'Design', 'Lunch', 'Travel', 'Releases'])[1 + pg_temp.pick('topic ' || g.n, 9)]) AS t (topic)
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN g.n % 60 >= 50 THEN 'escalated' WHEN g.n % 60 < 10 THEN 'support' WHEN g.n % 6 = 5 THEN 'direct' ELSE 'group' END,
        (ARRAY['active', 'active', 'active', 'active', 'active', 'closed', 'archived'])[1 + pg_temp.pick('room status ' || g.n, 7)],
        pg_temp.first_day() - make_interval(days => 1 + pg_temp.pick('room ' || g.n, 30))
) AS r (room_type, status, created_at)
WHERE NOT EXISTS (SELECT FROM chat_rooms AS o WHERE o.id = pg_temp.id('room', g.n))
ORDER BY g.n
ON CONFLICT DO NOTHING;

-- Participants: the creator and up to eleven others, guests only where they may be.
INSERT INTO room_participants (room_id, user_id, role, status, can_send_messages, can_invite_others, can_see_history, joined_at, last_read_at, left_at, created_at, updated_at)
SELECT
    r.id,
    u.id,
    (CASE WHEN j.n = 0 THEN 'moderator' WHEN u.account_type_informal = 'guest' THEN 'guest' WHEN pg_temp.pick(k.key, 12) = 0 THEN 'observer' ELSE 'member' END)::participant_role_enum,
    s.status::participant_status_enum,
    s.status <> 'muted',
    j.n = 0 OR pg_temp.pick('invite ' || k.key, 8) = 0,
    pg_temp.pick('history ' || k.key, 10) > 0,
    r.created_at + make_interval(hours => j.n),
    date_trunc('day', now()) - make_interval(days => pg_temp.pick('read ' || k.key, 60)),
    CASE WHEN s.status IN ('removed', 'left') THEN r.created_at + INTERVAL '200 days' END,
    r.created_at + make_interval(hours => j.n),
    r.created_at + make_interval(hours => j.n)
FROM generate_series(0, 60 * pg_temp.scale() - 1) AS g (n)
JOIN chat_rooms AS r ON r.id = pg_temp.id('room', g.n)
CROSS JOIN LATERAL generate_series(0, CASE WHEN r.room_type = 'direct' THEN 1 ELSE 3 + pg_temp.pick('size ' || g.n, 9) END) AS j (n)
JOIN users AS u ON u.id = pg_temp.id('user', g.n / 60 * 200 + 1 + (g.n % 60 + j.n * 17) % 199)
CROSS JOIN LATERAL (SELECT format('%s %s', g.n, j.n)) AS k (key)
CROSS JOIN LATERAL (
    SELECT CASE WHEN j.n = 0 THEN 'active' ELSE (ARRAY['active', 'active', 'active', 'active', 'active', 'active', 'active', 'active', 'muted', 'removed', 'left'])[1 + pg_temp.pick('member ' || k.key, 11)] END
) AS s (status)
WHERE (r.guest_access_allowed OR u.account_type_informal <> 'guest')
  AND NOT EXISTS (SELECT FROM room_participants AS p WHERE p.room_id = r.id)
ORDER BY g.n, j.n
ON CONFLICT DO NOTHING;

-- Messages, from the first day to last midnight: one room after the other, so the 60th before is the last one of the same room.
INSERT INTO messages (id, room_id, sender_id, message_type, content, content_metadata, robot_id, robot_response_to, is_robot_visible_to_guests,
                      delivery_status, reply_to_message_id, thread_id, created_at, updated_at, deleted_at)
SELECT
    pg_temp.id('message', g.n),
    r.room_id,
    CASE WHEN t.message_type = 'robot' THEN pg_temp.id('user', g.n / 4000 * 200) ELSE r.members[1 + pg_temp.pick('sender ' || g.n, cardinality(r.members))] END,
    t.message_type::message_type_enum,
    CASE t.message_type
        WHEN 'file' THEN 'Here is the file.'
        WHEN 'image' THEN 'A picture of it:'
        WHEN 'robot' THEN 'This may help: https://example.org/help/' || pg_temp.pick('help ' || g.n, 200)
        ELSE (ARRAY['Good morning!', 'Can somebody look at this?', 'I will check.', 'Done, please try again.', 'Thanks a lot.', 'The customer called again.',
                    'It works here.', 'Which version do you have?', 'See the numbers of last week.', 'Let us talk tomorrow.', 'Perfeito, obrigado!', 'Wir schauen uns das an.'])
            [1 + pg_temp.pick('content ' || g.n, 12)]
    END,
    jsonb_build_object('client', (ARRAY['web', 'ios', 'android'])[1 + pg_temp.pick('client ' || g.n, 3)], 'mentions', pg_temp.pick('mentions ' || g.n, 3)),
    CASE WHEN t.message_type = 'robot' THEN 'faq-robot' END,
    CASE WHEN t.message_type = 'robot' THEN b.id END,
    t.message_type = 'robot' AND g.n % 2 = 0,
    (CASE WHEN pg_temp.pick('delivery ' || g.n, 100) = 0 THEN 'failed' ELSE 'delivered' END)::delivery_status_enum,
    CASE WHEN t.message_type <> 'robot' AND pg_temp.pick('reply ' || g.n, 6) = 0 THEN b.id END,
    CASE WHEN t.message_type <> 'robot' AND pg_temp.pick('reply ' || g.n, 6) = 0 THEN b.id END,
    c.created_at,
    c.created_at,
    CASE WHEN pg_temp.pick('deleted ' || g.n, 100) = 0 THEN c.created_at + INTERVAL '1 hour' END
FROM generate_series(0, 4000 * pg_temp.scale() - 1) AS g (n)
JOIN (
    SELECT o.n, p.room_id, array_agg(p.user_id ORDER BY p.user_id) AS members
    FROM generate_series(0, 60 * pg_temp.scale() - 1) AS o (n)
    JOIN room_participants AS p ON p.room_id = pg_temp.id('room', o.n)
    GROUP BY o.n, p.room_id
) AS r ON r.n = g.n / 4000 * 60 + g.n % 4000 % 60
CROSS JOIN LATERAL (
    SELECT CASE WHEN g.n % 4000 < 60 THEN 'chat' WHEN g.n % 11 = 5 THEN 'robot' WHEN g.n % 13 = 7 THEN 'file' WHEN g.n % 17 = 3 THEN 'image' WHEN g.n % 97 = 0 THEN 'graph' ELSE 'chat' END
) AS t (message_type)
CROSS JOIN LATERAL (SELECT CASE WHEN g.n % 4000 >= 60 THEN pg_temp.id('message', g.n - 60) END) AS b (id)
CROSS JOIN LATERAL (
    SELECT pg_temp.first_day() + (date_trunc('day', now()) - pg_temp.first_day()) * ((g.n % 4000 + pg_temp.pick('time ' || g.n, 1000) / 1000.0) / 4000.0)
) AS c (created_at)
WHERE NOT EXISTS (SELECT FROM message_keys AS k WHERE k.id = pg_temp.id('message', g.n))
ORDER BY g.n;

-- Their files, and what the robot was asked.
INSERT INTO chat_file_attachments (id, message_id, file_manager_file_id, original_filename, file_size, mime_type, thumbnail_url, preview_available, owner_id, created_at, updated_at)
SELECT
    pg_temp.id('file', g.n),
    m.id,
    pg_temp.id('stored file', g.n),
    CASE m.message_type WHEN 'image' THEN format('picture_%s.png', g.n) ELSE format('report_%s.pdf', g.n) END,
    1000 + pg_temp.pick('bytes ' || g.n, 5000000),
    CASE m.message_type WHEN 'image' THEN 'image/png' ELSE 'application/pdf' END,
    CASE m.message_type WHEN 'image' THEN format('https://example.org/thumbnails/%s.png', g.n) END,
    m.message_type = 'image',
    m.sender_id,
    m.created_at,
    m.created_at
FROM generate_series(0, 4000 * pg_temp.scale() - 1) AS g (n)
JOIN messages AS m ON m.id = pg_temp.id('message', g.n)
WHERE m.message_type IN ('file', 'image')
ON CONFLICT DO NOTHING;

INSERT INTO robot_interactions (id, message_id, robot_id, request_data, observation_data, response_data, status, error_message, started_at, completed_at, created_at, updated_at)
SELECT
    pg_temp.id('interaction', g.n),
    m.id,
    'faq-robot',
    jsonb_build_object('question', 'How does it work?', 'language', (ARRAY['en', 'de', 'pt', 'es'])[1 + pg_temp.pick('asked ' || g.n, 4)]),
    jsonb_build_object('confidence', pg_temp.pick('confidence ' || g.n, 100) / 100.0),
    CASE WHEN s.status = 'completed' THEN jsonb_build_object('answer', m.content, 'tokens', 20 + pg_temp.pick('tokens ' || g.n, 400)) END,
    s.status::robot_status_enum,
    CASE WHEN s.status = 'failed' THEN 'the model did not answer in time' END,
    m.created_at - INTERVAL '2 seconds',
    CASE WHEN s.status = 'completed' THEN m.created_at END,
    m.created_at,
    m.created_at
FROM generate_series(0, 4000 * pg_temp.scale() - 1) AS g (n)
JOIN messages AS m ON m.id = pg_temp.id('message', g.n)
CROSS JOIN LATERAL (SELECT (ARRAY['completed', 'completed', 'completed', 'completed', 'completed', 'completed', 'failed', 'processing'])[1 + pg_temp.pick('answer ' || g.n, 8)]) AS s (status)
WHERE m.message_type = 'robot'
ON CONFLICT DO NOTHING;

-- The escalations of each block: ten with a room of their own, ten without.
INSERT INTO escalations (id, source_room_id, target_room_id, escalation_reason, from_level, to_level, priority, created_by_user_id, assigned_to_user_id,
                         status, resolution_notes, resolved_at, created_at, updated_at)
SELECT
    pg_temp.id('escalation', g.n),
    pg_temp.id('room', g.n / 20 * 60 + g.n % 10),
    CASE WHEN g.n % 20 < 10 THEN pg_temp.id('room', g.n / 20 * 60 + 50 + g.n % 10) END,
    (ARRAY['No answer for two days', 'Needs a refund', 'Data are missing', 'The customer asks for a manager'])[1 + pg_temp.pick('reason ' || g.n, 4)],
    (CASE WHEN g.n % 20 < 10 THEN 'T1' ELSE 'T2' END)::support_level_enum,
    (CASE WHEN g.n % 20 < 10 THEN 'T2' ELSE 'T3' END)::support_level_enum,
    1 + pg_temp.pick('priority ' || g.n, 5),
    pg_temp.id('user', g.n / 20 * 200 + 1 + g.n % 10),
    CASE WHEN s.status <> 'created' THEN pg_temp.id('user', g.n / 20 * 200 + 11 + g.n % 10 * 10) END,
    s.status::escalation_status_enum,
    CASE WHEN s.status = 'resolved' THEN 'Solved by the next level' END,
    CASE WHEN s.status = 'resolved' THEN s.created_at + INTERVAL '3 days' END,
    s.created_at,
    s.created_at
FROM generate_series(0, 20 * pg_temp.scale() - 1) AS g (n)
CROSS JOIN LATERAL (
    SELECT (ARRAY['created', 'assigned', 'in_progress', 'resolved', 'resolved', 'cancelled'])[1 + pg_temp.pick('escalation ' || g.n, 6)],
           pg_temp.first_day() + make_interval(days => pg_temp.pick('escalated ' || g.n, 700))
) AS s (status, created_at)
ON CONFLICT DO NOTHING;

-- Some history: every fiftieth message was edited once.
UPDATE messages AS m
SET content = m.content || ' (edited)'
FROM generate_series(0, 4000 * pg_temp.scale() - 1, 50) AS g (n)
WHERE m.id = pg_temp.id('message', g.n)
  AND m.content NOT LIKE '% (edited)';

SELECT refresh_room_activity_stats();

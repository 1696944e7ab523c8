-- bridge: sample rows for a demo, about 5,000, the same ones on every run.
-- Every partition that exists gets its share, so the messages of months to come are dated in the future.
-- Run it again at any time: rows that are there are left alone, partitions made since get theirs.
-- Lock: ROW EXCLUSIVE, as any insert.

-- A number from 0 to p_choices - 1 that depends on p_key only.
CREATE OR REPLACE FUNCTION pg_temp.pick(p_key TEXT, p_choices INT)
RETURNS INT
LANGUAGE sql
IMMUTABLE
AS $$ SELECT (('x' || left(md5(p_key), 7))::BIT(28)::INT % p_choices) $$;

-- The three samples of the system's document, then 300 contacts: leads, every fifth a person, some of them both.
INSERT INTO contact_mappings (chatwoot_contact_id, krayin_lead_id, krayin_person_id)
VALUES
    (456, 101, NULL),
    (457, 102, NULL),
    (458, NULL, 55)
ON CONFLICT DO NOTHING;

INSERT INTO contact_mappings (chatwoot_contact_id, krayin_lead_id, krayin_person_id, created_at, updated_at)
SELECT
    10000 + g.n,
    CASE WHEN g.n % 5 <> 4 THEN 20000 + g.n END,
    CASE WHEN g.n % 5 = 4 OR g.n % 7 = 0 THEN 50000 + g.n END,
    c.at,
    c.at
FROM generate_series(0, 299) AS g (n)
CROSS JOIN LATERAL (SELECT date_trunc('month', now(), 'UTC') - g.n * INTERVAL '1 day') AS c (at)
ON CONFLICT DO NOTHING;

-- 400 conversations of the leads among them; the triggers on the messages count for each.
INSERT INTO conversation_mappings (chatwoot_conversation_id, krayin_lead_id, status, created_at, updated_at, resolved_at)
SELECT
    30000 + g.n,
    l.krayin_lead_id,
    s.status,
    c.at,
    c.at,
    CASE WHEN s.status = 'resolved' THEN c.at + make_interval(hours => 1 + pg_temp.pick('resolved' || g.n, 72)) END
FROM generate_series(0, 399) AS g (n)
JOIN (
    SELECT m.krayin_lead_id, row_number() OVER (ORDER BY m.chatwoot_contact_id) - 1 AS n, count(*) OVER () AS total
    FROM contact_mappings AS m
    WHERE m.krayin_lead_id IS NOT NULL
      AND (m.chatwoot_contact_id BETWEEN 456 AND 457 OR m.chatwoot_contact_id BETWEEN 10000 AND 10299)
) AS l ON l.n = g.n % l.total
CROSS JOIN LATERAL (
    SELECT (ARRAY['open', 'open', 'open', 'resolved', 'resolved', 'resolved', 'pending', 'snoozed'])[1 + pg_temp.pick('status' || g.n, 8)]
) AS s (status)
CROSS JOIN LATERAL (
    SELECT date_trunc('month', now(), 'UTC') - make_interval(mins => pg_temp.pick('conversation' || g.n, 20000))
) AS c (at)
ON CONFLICT DO NOTHING;

-- 600 messages in each partition, from its first moment to its last hours.
INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
SELECT
    m.message_id,
    m.message_id + 1000000000,
    30000 + pg_temp.pick('conversation of ' || m.message_id, 400),
    (ARRAY['incoming', 'incoming', 'incoming', 'incoming', 'outgoing', 'outgoing', 'outgoing', 'outgoing', 'activity'])
        [1 + pg_temp.pick('type of ' || m.message_id, 9)],
    p.lower_bound + (p.upper_bound - p.lower_bound) * g.n / 600
FROM list_range_partitions('activity_mappings') AS p
CROSS JOIN generate_series(0, 599) AS g (n)
CROSS JOIN LATERAL (SELECT EXTRACT(EPOCH FROM p.lower_bound)::BIGINT / 3600 * 1000 + g.n) AS m (message_id)
WHERE isfinite(p.lower_bound)
  AND isfinite(p.upper_bound)
  AND NOT EXISTS (SELECT 1 FROM activity_message_keys AS k WHERE k.chatwoot_message_id = m.message_id)
ORDER BY p.lower_bound, g.n
ON CONFLICT DO NOTHING;

-- Three insights for each of 100 leads: two of history, one current.
SELECT count(update_ai_insights(i.lead_id, i.metrics)) AS insights_added
FROM (
    SELECT
        l.lead_id,
        jsonb_build_object(
            'total_conversations', 2 + v.n,
            'resolved_conversations', v.n,
            'pending_conversations', 1,
            'resolution_rate', round(100.0 * v.n / (2 + v.n), 2),
            'average_response_time_minutes', 2 + pg_temp.pick(format('response %s %s', g.n, v.n), 90),
            'total_messages', 10 * v.n + pg_temp.pick(format('messages %s %s', g.n, v.n), 30),
            'average_messages_per_conversation', round((10.0 * v.n + 5) / (2 + v.n), 2),
            'performance_score', s.score,
            'engagement_level', CASE WHEN s.score < 3.5 THEN 'low' WHEN s.score < 7 THEN 'medium' ELSE 'high' END,
            'suggestions', jsonb_build_array((ARRAY['call back', 'send the price list', 'offer an appointment'])
                [1 + pg_temp.pick(format('suggestion %s %s', g.n, v.n), 3)]),
            'last_interaction_at', date_trunc('month', now(), 'UTC') - make_interval(days => 30 * (3 - v.n), mins => g.n)
        ) AS metrics
    FROM generate_series(0, 99) AS g (n)
    CROSS JOIN generate_series(1, 3) AS v (n)
    CROSS JOIN LATERAL (SELECT 20000 + g.n / 4 * 5 + g.n % 4) AS l (lead_id)
    CROSS JOIN LATERAL (SELECT pg_temp.pick(format('score %s %s', g.n, v.n), 101) / 10.0) AS s (score)
    WHERE NOT EXISTS (SELECT 1 FROM ai_insights AS a WHERE a.krayin_lead_id = l.lead_id)
    ORDER BY g.n, v.n
) AS i;

-- 250 stage changes in each quarter that has a partition: five steps of 50 leads.
INSERT INTO stage_change_logs (krayin_lead_id, previous_stage, new_stage, trigger_source, chatwoot_conversation_id,
                               chatwoot_status, changed_by_user_id, created_at)
SELECT
    c.lead_id,
    (ARRAY[NULL, 'new', 'contacted', 'scheduled', 'proposal'])[1 + g.n % 5],
    (ARRAY['new', 'contacted', 'scheduled', 'proposal', CASE WHEN pg_temp.pick('end of ' || c.lead_id, 2) = 0 THEN 'won' ELSE 'lost' END])
        [1 + g.n % 5],
    t.source,
    CASE WHEN t.source = 'webhook' THEN 30000 + pg_temp.pick('conversation ' || g.n, 400) END,
    CASE WHEN t.source = 'webhook' THEN 'open' END,
    CASE WHEN t.source = 'manual' THEN 1 + pg_temp.pick('user ' || g.n, 12) END,
    c.at
FROM list_range_partitions('stage_change_logs') AS p
CROSS JOIN generate_series(0, 249) AS g (n)
CROSS JOIN LATERAL (
    SELECT 20000 + g.n / 5 * 5, p.lower_bound + (p.upper_bound - p.lower_bound) * g.n / 250
) AS c (lead_id, at)
CROSS JOIN LATERAL (SELECT (ARRAY['webhook', 'manual', 'automation'])[1 + pg_temp.pick('source ' || g.n, 3)]) AS t (source)
WHERE isfinite(p.lower_bound)
  AND isfinite(p.upper_bound)
  AND NOT EXISTS (SELECT 1 FROM stage_change_logs AS s WHERE s.krayin_lead_id = c.lead_id AND s.created_at = c.at)
ORDER BY c.at;

-- One consent for each of 300 contacts, of each purpose in turn.
INSERT INTO consent_records (contact_id, chatwoot_contact_id, krayin_lead_id, consent_type, status, granted_at, withdrawn_at,
                             ip_address, user_agent, consent_text, consent_version, created_at, updated_at)
SELECT
    c.contact_id,
    c.contact_id,
    CASE WHEN g.n % 5 <> 4 THEN 20000 + g.n END,
    c.consent_type,
    c.status,
    CASE WHEN c.status <> 'denied' THEN c.at END,
    CASE WHEN c.status = 'withdrawn' THEN c.at + INTERVAL '10 days' END,
    '192.0.2.' || 1 + g.n % 254,
    'Mozilla/5.0 (sample)',
    'I agree to the processing of my data for: ' || c.consent_type,
    '1.' || g.n % 3,
    c.at,
    c.at
FROM generate_series(0, 299) AS g (n)
CROSS JOIN LATERAL (
    SELECT
        10000 + g.n,
        (ARRAY['data_processing', 'marketing', 'health_data'])[1 + g.n % 3],
        (ARRAY['granted', 'granted', 'granted', 'denied', 'withdrawn'])[1 + pg_temp.pick('consent ' || g.n, 5)],
        date_trunc('month', now(), 'UTC') - make_interval(days => 20 + g.n)
) AS c (contact_id, consent_type, status, at)
WHERE NOT EXISTS (
    SELECT 1 FROM consent_records AS r WHERE r.contact_id = c.contact_id AND r.consent_type = c.consent_type
);

-- 400 audit rows in each quarter that has a partition.
INSERT INTO audit_logs (user_id, action, model, model_id, changes, ip_address, user_agent, created_at)
SELECT
    CASE WHEN g.n % 10 <> 0 THEN 1 + pg_temp.pick('auditor ' || g.n, 12) END,
    a.action,
    'ContactMapping',
    a.model_id,
    CASE WHEN a.action = 'update' THEN jsonb_build_object('krayin_lead_id', jsonb_build_array(NULL, a.model_id + 10000)) END,
    '192.0.2.' || 1 + pg_temp.pick('address ' || g.n, 254),
    'Mozilla/5.0 (sample)',
    a.at
FROM list_range_partitions('audit_logs') AS p
CROSS JOIN generate_series(0, 399) AS g (n)
CROSS JOIN LATERAL (
    SELECT
        (ARRAY['create', 'read', 'read', 'read', 'update', 'update', 'delete', 'export'])[1 + pg_temp.pick('action ' || g.n, 8)],
        10000 + pg_temp.pick('model ' || g.n, 300),
        p.lower_bound + (p.upper_bound - p.lower_bound) * g.n / 400
) AS a (action, model_id, at)
WHERE isfinite(p.lower_bound)
  AND isfinite(p.upper_bound)
  AND NOT EXISTS (
      SELECT 1 FROM audit_logs AS l WHERE l.model = 'ContactMapping' AND l.model_id = a.model_id AND l.created_at = a.at
  )
ORDER BY a.at;

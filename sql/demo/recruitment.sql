-- recruitment: sample rows for a demo: at scale 1 three accounts, 1,500 contacts, 1,200 conversations and about 6,500
-- messages of the last two years. The embedded documents are in recruitment.vector.sql.
-- Settings: dbctl.scale (1) multiplies the number of contacts, conversations and messages; dbctl.seed (1) changes what
-- they say. Run it again at any time: rows that are there are left alone.
-- Lock: ROW EXCLUSIVE, as any insert.

-- A number from 0 to p_choices - 1 that depends on p_key and the seed only.
CREATE OR REPLACE FUNCTION pg_temp.pick(p_key TEXT, p_choices INT)
RETURNS INT
LANGUAGE sql
STABLE
AS $$
    SELECT ((hashtextextended(p_key, COALESCE(NULLIF(current_setting('dbctl.seed', TRUE), ''), '1')::BIGINT)
             & 9223372036854775807) % p_choices)::INT
$$;

CREATE OR REPLACE FUNCTION pg_temp.scale()
RETURNS INT
LANGUAGE sql
STABLE
AS $$ SELECT COALESCE(NULLIF(current_setting('dbctl.scale', TRUE), ''), '1')::INT $$;

INSERT INTO accounts (name)
SELECT w.name
FROM unnest(ARRAY['Sample agency', 'Sample shop', 'Sample setup office']) WITH ORDINALITY AS w (name, position)
WHERE NOT EXISTS (SELECT FROM accounts AS a WHERE a.name = w.name)
ORDER BY w.position;

-- The sample accounts, numbered from 0.
CREATE OR REPLACE FUNCTION pg_temp.sample_accounts()
RETURNS TABLE (n BIGINT, id INT)
LANGUAGE sql
STABLE
ROWS 3
AS $$
    SELECT w.position - 1, (SELECT min(a.id) FROM accounts AS a WHERE a.name = w.name)
    FROM unnest(ARRAY['Sample agency', 'Sample shop', 'Sample setup office']) WITH ORDINALITY AS w (name, position)
$$;

SELECT add_standard_labels(a.id) AS labels_added
FROM pg_temp.sample_accounts() AS a;

INSERT INTO users (name, email)
SELECT w.name, lower(replace(w.name, ' ', '.')) || '@sample.example'
FROM unnest(ARRAY[
    'Emma Jansen', 'Daan Visser', 'Sofia Rossi', 'Lucas Moreau', 'Mila Novak', 'Noah Schmidt',
    'Ines Duarte', 'Omar Haddad', 'Freja Nielsen', 'Tom Peeters', 'Lea Fischer', 'Marek Kowalski'
]) AS w (name)
ON CONFLICT DO NOTHING;

INSERT INTO teams (account_id, name)
SELECT a.id, w.name
FROM pg_temp.sample_accounts() AS a
CROSS JOIN unnest(ARRAY['Intake', 'Follow-up']) AS w (name)
ON CONFLICT DO NOTHING;

INSERT INTO inboxes (account_id, name, channel_type, greeting_enabled, greeting_message, working_hours_enabled, out_of_office_message)
SELECT a.id, w.name, w.channel_type, TRUE, 'Hello! How can we help?', w.name = 'Website', 'We are back at nine.'
FROM pg_temp.sample_accounts() AS a
CROSS JOIN (VALUES
    ('WhatsApp', 'Channel::WhatsApp'),
    ('Website', 'Channel::Api'),
    ('Mail', 'Channel::Email')
) AS w (name, channel_type)
WHERE NOT EXISTS (SELECT FROM inboxes AS i WHERE i.account_id = a.id AND i.name = w.name)
ORDER BY a.n, w.name;

INSERT INTO channel_whatsapp (account_id, phone_number, provider, provider_config, message_templates)
SELECT
    a.id,
    '+3197010' || 100000 + a.n,
    (ARRAY['whatsapp_cloud', '360dialog'])[1 + a.n % 2],
    '{"api_key": "sample", "client_id": "sample"}',
    '[{"name": "first_contact", "language": "en", "body": "Hello {{1}}, are you open to a new role?"}]'
FROM pg_temp.sample_accounts() AS a
ON CONFLICT DO NOTHING;

INSERT INTO channel_api (account_id, webhook_url, hmac_token, hmac_mandatory)
SELECT a.id, format('https://app.sample.example/webhooks/%s', a.n), md5('sample token ' || a.n), TRUE
FROM pg_temp.sample_accounts() AS a
WHERE NOT EXISTS (SELECT FROM channel_api AS c WHERE c.account_id = a.id)
ORDER BY a.n;

-- The three samples of the system's document, for account 1.
INSERT INTO contacts (account_id, name, email, phone_number, custom_attributes)
SELECT 1, s.name, s.email, s.phone_number, s.custom_attributes::JSONB
FROM (VALUES
    ('John Tech', 'john@techstartup.com', '+31612345678',
     '{"lead_status": "qualified", "lead_source": "website_form", "job_type_preference": "interim", "budget_min": 70000, "budget_max": 90000, "urgency_level": "high", "qualification_score": 8.5, "ai_summary": "Experienced tech professional seeking interim roles"}'),
    ('Sarah Designer', 'sarah@creativeagency.com', '+31687654321',
     '{"lead_status": "qualified", "lead_source": "instagram_scrape", "instagram_handle": "@sarahdesigns", "follower_count": 25000, "niche": "design", "job_type_preference": "freelance", "urgency_level": "medium", "qualification_score": 7.8}'),
    ('Mike Customer', 'mike@example.com', '+31698765432',
     '{"lead_status": "customer", "lead_source": "instagram_dm", "product_interest": "sneakers", "size_preference": "42", "order_count": 3, "total_spent": 450.00, "vip_status": true}')
) AS s (name, email, phone_number, custom_attributes)
WHERE EXISTS (SELECT FROM accounts AS a WHERE a.id = 1)
ON CONFLICT DO NOTHING;

-- 1,500 contacts: job seekers in the first account, customers in the second, founders in the third. A few attributes
-- are not what they should be, as agents write them.
INSERT INTO contacts (account_id, name, email, phone_number, identifier, custom_attributes, created_at, updated_at)
SELECT
    a.id,
    p.first_name || ' ' || p.last_name,
    CASE WHEN g.n % 11 <> 7 THEN lower(format('%s.%s.%s@mail.example', p.first_name, p.last_name, g.n)) END,
    '+316' || 10000000 + g.n,
    'sample-contact-' || g.n,
    jsonb_strip_nulls(
        jsonb_build_object(
            'lead_status', (ARRAY['new', 'contacted', 'qualified', 'qualified', 'unqualified', 'customer'])[1 + pg_temp.pick('status ' || g.n, 6)],
            'lead_source', s.source,
            'urgency_level', (ARRAY['low', 'medium', 'medium', 'high'])[1 + pg_temp.pick('urgency ' || g.n, 4)],
            'qualification_score', CASE
                WHEN g.n % 37 = 5 THEN '"high"'::JSONB
                WHEN g.n % 5 <> 3 THEN to_jsonb(pg_temp.pick('score ' || g.n, 101) / 10.0)
            END,
            'last_contact_date', to_char(
                (c.at + make_interval(hours => pg_temp.pick('contacted ' || g.n, 240))) AT TIME ZONE 'UTC',
                'YYYY-MM-DD"T"HH24:MI:SS"Z"'
            )
        )
        || CASE
            WHEN s.source LIKE 'instagram%' THEN jsonb_build_object(
                'instagram_handle', lower(format('@%s%s%s', p.first_name, p.last_name, g.n)),
                'follower_count', CASE
                    WHEN g.n % 41 = 6 THEN '"15k"'::JSONB
                    ELSE to_jsonb(100 + pg_temp.pick('followers ' || g.n, 300) * pg_temp.pick('reach ' || g.n, 200))
                END,
                'niche', (ARRAY['technology', 'design', 'fitness', 'food', 'finance'])[1 + pg_temp.pick('niche ' || g.n, 5)]
            )
            ELSE '{}'
        END
        || CASE a.n
            WHEN 0 THEN jsonb_build_object(
                'job_type_preference', (ARRAY['interim', 'permanent', 'freelance'])[1 + pg_temp.pick('job ' || g.n, 3)],
                'budget_min', b.thousands * 1000,
                'budget_max', (b.thousands + 20) * 1000,
                'budget_range', format('€%s-%sk', b.thousands, b.thousands + 20),
                'last_intent', 'job_search',
                'ai_summary', format('Looks for work in %s, €%s-%sk.', p.city, b.thousands, b.thousands + 20)
            )
            WHEN 1 THEN jsonb_build_object(
                'product_interest', (ARRAY['sneakers', 'boots', 'jackets', 'bags'])[1 + pg_temp.pick('product ' || g.n, 4)],
                'size_preference', (36 + pg_temp.pick('size ' || g.n, 12))::TEXT,
                'order_count', pg_temp.pick('orders ' || g.n, 9),
                'total_spent', pg_temp.pick('orders ' || g.n, 9) * (20 + pg_temp.pick('spent ' || g.n, 180)),
                'preferred_channel', 'whatsapp',
                'vip_status', pg_temp.pick('orders ' || g.n, 9) > 6,
                'ai_summary', format('Customer from %s with %s orders.', p.city, pg_temp.pick('orders ' || g.n, 9))
            )
            ELSE jsonb_build_object(
                'company_type', (ARRAY['tech_startup', 'consultancy', 'trading_company'])[1 + pg_temp.pick('company ' || g.n, 3)],
                'budget_range', (ARRAY['€5-10k', '€10-15k', '€15-20k'])[1 + pg_temp.pick('budget ' || g.n, 3)],
                'timeline', (ARRAY['1 month', '2-3 months', '6 months'])[1 + pg_temp.pick('timeline ' || g.n, 3)],
                'services_needed', '["company_registration", "visa_processing", "bank_account"]'::JSONB - pg_temp.pick('service ' || g.n, 4),
                'meeting_scheduled', pg_temp.pick('meeting ' || g.n, 3) = 0,
                'ai_summary', format('Founder from %s who wants to register a company.', p.city)
            )
        END
    ),
    c.at,
    c.at
FROM generate_series(0, 1500 * pg_temp.scale() - 1) AS g (n)
JOIN pg_temp.sample_accounts() AS a ON a.n = g.n % 3
CROSS JOIN LATERAL (
    SELECT
        (ARRAY['Anna', 'Bram', 'Chloe', 'David', 'Eva', 'Finn', 'Greta', 'Hugo', 'Iris', 'Jonas', 'Katja', 'Liam', 'Maria',
               'Nina', 'Oscar', 'Paula', 'Rosa', 'Simon', 'Tess', 'Viktor'])[1 + pg_temp.pick('first ' || g.n, 20)],
        (ARRAY['Bakker', 'Costa', 'Dubois', 'Ferrari', 'Garcia', 'Hansen', 'Ivanov', 'Jansen', 'Keller', 'Lopez', 'Meyer',
               'Novak', 'Olsen', 'Petit', 'Ricci', 'Smit', 'Torres', 'Vos', 'Weber', 'Young'])[1 + pg_temp.pick('last ' || g.n, 20)],
        (ARRAY['Amsterdam', 'Berlin', 'Dubai', 'Lisbon', 'Milan', 'Paris', 'Rotterdam', 'Utrecht'])[1 + pg_temp.pick('city ' || g.n, 8)]
) AS p (first_name, last_name, city)
CROSS JOIN LATERAL (
    SELECT (ARRAY['instagram_scrape', 'instagram_dm', 'website_form', 'website_form', 'referral'])[1 + pg_temp.pick('source ' || g.n, 5)]
) AS s (source)
CROSS JOIN LATERAL (SELECT 20 + 5 * pg_temp.pick('budget ' || g.n, 20)) AS b (thousands)
CROSS JOIN LATERAL (
    SELECT date_trunc('day', now(), 'UTC') - make_interval(mins => 60 * 24 * 12 + pg_temp.pick('contact ' || g.n, 1000000))
) AS c (at)
ORDER BY g.n
ON CONFLICT DO NOTHING;

-- Labels by what the attributes say. The few contacts that a person has labelled by hand are left alone.
INSERT INTO contact_labels (contact_id, label_id, created_at, updated_at)
SELECT c.id, l.id, c.created_at, c.created_at
FROM contacts AS c
JOIN pg_temp.sample_accounts() AS a ON a.id = c.account_id
CROSS JOIN LATERAL (VALUES
    (CASE c.custom_attributes->>'lead_status' WHEN 'qualified' THEN 'qualified-lead' WHEN 'unqualified' THEN 'unqualified-lead' WHEN 'new' THEN 'cold-outreach' END),
    (CASE c.custom_attributes->>'urgency_level' WHEN 'high' THEN 'hot-lead' WHEN 'low' THEN 'cold-lead' END),
    (CASE c.custom_attributes->>'job_type_preference' WHEN 'interim' THEN 'interim-job-seeker' WHEN 'permanent' THEN 'permanent-job-seeker' WHEN 'freelance' THEN 'freelance-preference' END),
    (CASE WHEN c.custom_attributes->>'lead_source' = 'instagram_scrape' THEN 'scraped-lead' END),
    (CASE WHEN c.custom_attributes->>'vip_status' = 'true' THEN 'vip-customer' END)
) AS w (title)
JOIN labels AS l ON l.account_id = c.account_id AND l.title = w.title
WHERE c.identifier LIKE 'sample-contact-%'
  AND NOT EXISTS (SELECT FROM contact_labels AS x WHERE x.contact_id = c.id)
ORDER BY c.id, l.id
ON CONFLICT DO NOTHING;

-- 1,200 conversations; the older ones are mostly resolved.
INSERT INTO conversations (contact_id, inbox_id, account_id, status, assignee_id, team_id, uuid, additional_attributes,
                           created_at, updated_at, last_activity_at)
SELECT
    c.id,
    i.ids[1 + pg_temp.pick('inbox ' || g.n, cardinality(i.ids))],
    c.account_id,
    CASE
        WHEN w.at < now() - INTERVAL '30 days' AND pg_temp.pick('status of conversation ' || g.n, 10) < 9 THEN 'resolved'
        ELSE (ARRAY['open', 'open', 'pending', 'snoozed'])[1 + pg_temp.pick('open ' || g.n, 4)]
    END,
    CASE WHEN g.n % 4 <> 1 THEN u.ids[1 + pg_temp.pick('assignee ' || g.n, cardinality(u.ids))] END,
    CASE WHEN g.n % 3 <> 1 THEN t.ids[1 + pg_temp.pick('team ' || g.n, cardinality(t.ids))] END,
    md5('sample conversation ' || g.n)::UUID,
    jsonb_build_object('intent', (ARRAY['job_search', 'order', 'question', 'complaint'])[1 + pg_temp.pick('intent ' || g.n, 4)]),
    w.at,
    w.at,
    -- When its last message comes: see below.
    w.at + make_interval(mins => (2 + pg_temp.pick('length ' || g.n, 6)) * (2 + pg_temp.pick('pace ' || g.n, 90)))
FROM generate_series(0, 1200 * pg_temp.scale() - 1) AS g (n)
JOIN contacts AS c ON c.identifier = 'sample-contact-' || pg_temp.pick('contact of conversation ' || g.n, 1500 * pg_temp.scale())
JOIN (
    SELECT x.account_id, array_agg(x.id ORDER BY x.id) AS ids FROM inboxes AS x GROUP BY x.account_id
) AS i ON i.account_id = c.account_id
JOIN (
    SELECT x.account_id, array_agg(x.id ORDER BY x.id) AS ids FROM teams AS x GROUP BY x.account_id
) AS t ON t.account_id = c.account_id
CROSS JOIN (
    SELECT array_agg(x.id ORDER BY x.id) AS ids FROM users AS x WHERE x.email LIKE '%@sample.example'
) AS u
CROSS JOIN LATERAL (
    SELECT LEAST(
        c.created_at + make_interval(mins => pg_temp.pick('conversation ' || g.n, 60 * 24 * 200)),
        date_trunc('day', now(), 'UTC') - make_interval(mins => 60 * 24 + pg_temp.pick('late conversation ' || g.n, 60 * 24 * 10))
    )
) AS w (at)
JOIN pg_temp.sample_accounts() AS a ON a.id = c.account_id
ORDER BY g.n
ON CONFLICT DO NOTHING;

-- Three to eight messages in each conversation that has none: question, answer, and so on, a few minutes apart.
INSERT INTO messages (conversation_id, account_id, content, message_type, sender_type, sender_id, status, source_id, created_at, updated_at)
SELECT
    c.id,
    c.account_id,
    CASE w.message_type
        WHEN 'incoming' THEN (ARRAY['Hi, is this role still open?', 'What is the budget?', 'I can start next month.', 'Can we call tomorrow?',
                                    'Do you have this in size 42?', 'Thank you!'])[1 + pg_temp.pick(format('question %s %s', g.n, m.n), 6)]
        WHEN 'outgoing' THEN (ARRAY['Yes, it is. Shall I send you the details?', 'Between €70k and €90k a year.', 'Great, I have noted it.',
                                    'A colleague will call you.', 'It is in stock.', 'You are welcome.'])[1 + pg_temp.pick(format('answer %s %s', g.n, m.n), 6)]
        WHEN 'template' THEN 'Hello, are you open to a new role?'
        ELSE 'Conversation was assigned'
    END,
    w.message_type,
    CASE w.message_type WHEN 'incoming' THEN 'Contact' WHEN 'outgoing' THEN CASE WHEN c.assignee_id IS NULL THEN 'AgentBot' ELSE 'User' END END,
    CASE w.message_type WHEN 'incoming' THEN c.contact_id WHEN 'outgoing' THEN c.assignee_id END,
    CASE WHEN w.message_type IN ('outgoing', 'template')
        THEN (ARRAY['sent', 'delivered', 'read', 'read', 'read', 'read', 'read', 'failed'])[1 + pg_temp.pick(format('delivery %s %s', g.n, m.n), 8)]
        ELSE 'sent'
    END,
    CASE WHEN w.message_type <> 'activity' THEN format('wamid.sample.%s.%s', g.n, m.n) END,
    c.created_at + make_interval(mins => m.n * (2 + pg_temp.pick('pace ' || g.n, 90))),
    c.created_at + make_interval(mins => m.n * (2 + pg_temp.pick('pace ' || g.n, 90)))
FROM generate_series(0, 1200 * pg_temp.scale() - 1) AS g (n)
JOIN conversations AS c ON c.uuid = md5('sample conversation ' || g.n)::UUID
CROSS JOIN LATERAL generate_series(0, 2 + pg_temp.pick('length ' || g.n, 6)) AS m (n)
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN m.n = 0 AND pg_temp.pick('opening ' || g.n, 5) = 0 THEN 'template'
        WHEN m.n = 3 AND c.assignee_id IS NOT NULL THEN 'activity'
        WHEN m.n % 2 = 0 THEN 'incoming'
        ELSE 'outgoing'
    END
) AS w (message_type)
WHERE NOT EXISTS (SELECT FROM messages AS x WHERE x.conversation_id = c.id)
ORDER BY g.n, m.n;

-- fsm: sample rows for a demo: organizations and their work over two years, and the sales of eight business units.
-- Settings, both optional: dbctl.scale (rows are multiplied by it, 1 gives about 30,000), dbctl.seed (other names,
-- other numbers). The same seed gives the same rows; run it again at any time: rows that are there are left alone.
-- Lock: ROW EXCLUSIVE, as any insert; SHARE UPDATE EXCLUSIVE while partitions for the past are made.

-- Nobody has analyzed what this transaction adds: the planner takes big tables for empty ones.
SET LOCAL enable_nestloop = off;
SET LOCAL jit = off;

CREATE OR REPLACE FUNCTION pg_temp.scale()
RETURNS INT
LANGUAGE sql
STABLE
AS $$ SELECT GREATEST(COALESCE(NULLIF(current_setting('dbctl.scale', TRUE), ''), '1')::INT, 1) $$;

CREATE OR REPLACE FUNCTION pg_temp.seed()
RETURNS INT
LANGUAGE sql
STABLE
AS $$ SELECT COALESCE(NULLIF(current_setting('dbctl.seed', TRUE), ''), '1')::INT $$;

-- The id of the p_n-th p_kind.
CREATE OR REPLACE FUNCTION pg_temp.id(p_kind TEXT, p_n BIGINT)
RETURNS UUID
LANGUAGE sql
STABLE
AS $$ SELECT md5(pg_temp.seed() || ' ' || p_kind || ' ' || p_n)::UUID $$;

-- A number from 0 to p_choices - 1 that depends on the seed, p_what and p_n only.
CREATE OR REPLACE FUNCTION pg_temp.pick(p_what TEXT, p_n BIGINT, p_choices INT)
RETURNS INT
LANGUAGE sql
STABLE
AS $$ SELECT (hashtextextended(p_what || ' ' || p_n, pg_temp.seed()) & 2147483647)::INT % p_choices $$;

-- A moment in the p_days days before this one began at UTC.
CREATE OR REPLACE FUNCTION pg_temp.ago(p_what TEXT, p_n BIGINT, p_days INT)
RETURNS TIMESTAMPTZ
LANGUAGE sql
STABLE
AS $$ SELECT date_trunc('day', now(), 'UTC') - make_interval(mins => 1 + pg_temp.pick(p_what, p_n, p_days * 1440 - 1)) $$;

-- Partitions of the past, a month each: what is there is left alone.
SELECT public.maintain_partitions();
SELECT public.ensure_range_partitions(p.name::REGCLASS, 'month', date_trunc('month', now(), 'UTC') - p.back, now())
FROM (VALUES
    ('app.tasks', INTERVAL '24 months'),
    ('app.notifications', INTERVAL '6 months'),
    ('analytics.events', INTERVAL '12 months'),
    ('analytics.page_views', INTERVAL '6 months'),
    ('audit.audit_log', INTERVAL '12 months')
) AS p (name, back);

-- 200 users; ten make an organization: an owner, an admin, six members, two viewers.
INSERT INTO auth.users (id, email, email_verified, phone, password_hash, first_name, last_name, locale, timezone, status,
                        last_login_at, last_login_ip, metadata, created_at, updated_at)
SELECT
    pg_temp.id('user', g.n),
    lower(format('%s.%s.%s-%s@example.org', translate(p.first_name, 'éñżĆó', 'enzco'), translate(p.last_name, 'éíñłó', 'einlo'), g.n, pg_temp.seed())),
    pg_temp.pick('verified', g.n, 10) > 0,
    '+34 600 ' || lpad(pg_temp.pick('phone', g.n, 1000000)::TEXT, 6, '0'),
    '$2b$12$' || md5('password ' || g.n),
    p.first_name,
    p.last_name,
    (ARRAY['es', 'fr', 'it', 'pl', 'en'])[1 + pg_temp.pick('locale', g.n, 5)],
    (ARRAY['Europe/Madrid', 'Europe/Paris', 'Europe/Rome', 'Europe/Warsaw', 'UTC'])[1 + pg_temp.pick('locale', g.n, 5)],
    CASE WHEN pg_temp.pick('status', g.n, 40) = 0 THEN 'suspended' ELSE 'active' END,
    pg_temp.ago('login', g.n, 60),
    '192.0.2.0'::INET + 1 + pg_temp.pick('address', g.n, 254),
    jsonb_build_object('department', (ARRAY['field service', 'sales', 'planning', 'support'])[1 + pg_temp.pick('department', g.n, 4)],
                       'newsletter', pg_temp.pick('newsletter', g.n, 2) = 0),
    c.at,
    c.at
FROM generate_series(0, 200 * pg_temp.scale() - 1) AS g (n)
CROSS JOIN LATERAL (
    SELECT
        (ARRAY['Ana', 'Luis', 'Marta', 'Chloé', 'Hugo', 'Léa', 'Giulia', 'Marco', 'Zofia', 'Piotr', 'Begoña', 'Jan', 'Sara', 'Pablo', 'Inés', 'Luca'])
            [1 + pg_temp.pick('first name', g.n, 16)],
        (ARRAY['García', 'Martín', 'Bernard', 'Dubois', 'Rossi', 'Ferrari', 'Nowak', 'Kowalski', 'López', 'Petit', 'Moreau', 'Romano', 'Wójcik', 'Núñez', 'Ruiz', 'Leroy'])
            [1 + pg_temp.pick('last name', g.n, 16)]
) AS p (first_name, last_name)
CROSS JOIN LATERAL (SELECT pg_temp.ago('user', g.n, 30) - INTERVAL '700 days') AS c (at)
ON CONFLICT DO NOTHING;

INSERT INTO auth.roles (name, description, permissions, is_system)
VALUES
    ('admin', 'Administers the whole system', '["*"]', TRUE),
    ('support', 'Answers questions of customers', '["users.read", "orders.read"]', TRUE),
    ('planner', 'Plans visits', '["orders.read", "orders.write"]', FALSE)
ON CONFLICT DO NOTHING;

INSERT INTO auth.user_roles (user_id, role_id, granted_at, expires_at)
SELECT
    pg_temp.id('user', g.n),
    r.id,
    pg_temp.ago('role', g.n, 600),
    CASE WHEN g.n % 3 = 0 THEN now() + INTERVAL '1 year' END
FROM generate_series(0, 200 * pg_temp.scale() - 1, 7) AS g (n)
JOIN auth.roles AS r ON r.name = (ARRAY['support', 'planner', 'planner', 'planner', 'admin'])[1 + pg_temp.pick('role', g.n, 5)]
ON CONFLICT DO NOTHING;

INSERT INTO app.organizations (id, name, slug, description, industry, size, billing_email, status, trial_ends_at, created_by, created_at, updated_at)
SELECT
    pg_temp.id('organization', g.n),
    o.name,
    lower(replace(o.name, ' ', '-')) || format('-%s-%s', g.n, pg_temp.seed()),
    'Installs, repairs and measures in ' || (ARRAY['Madrid', 'Lyon', 'Milano', 'Kraków', 'Sevilla', 'Lille'])[1 + pg_temp.pick('town', g.n, 6)],
    (ARRAY['construction', 'kitchens', 'bathrooms', 'energy', 'gardens'])[1 + pg_temp.pick('industry', g.n, 5)],
    (ARRAY['1-10', '11-50', '51-200'])[1 + pg_temp.pick('size', g.n, 3)],
    format('billing-%s@example.org', g.n),
    o.status,
    CASE WHEN o.status = 'trial' THEN now() + INTERVAL '14 days' END,
    pg_temp.id('user', g.n * 10),
    c.at,
    c.at
FROM generate_series(0, 20 * pg_temp.scale() - 1) AS g (n)
CROSS JOIN LATERAL (
    SELECT
        (ARRAY['Obras', 'Travaux', 'Lavori', 'Remont'])[1 + pg_temp.pick('name', g.n, 4)] || ' '
            || (ARRAY['Norte', 'Sud', 'Centro', 'Rapide', 'Express', 'Plus'])[1 + pg_temp.pick('other name', g.n, 6)],
        (ARRAY['active', 'active', 'active', 'trial', 'suspended'])[1 + pg_temp.pick('status of organization', g.n, 5)]
) AS o (name, status)
CROSS JOIN LATERAL (SELECT pg_temp.ago('organization', g.n, 30) - INTERVAL '690 days') AS c (at)
ON CONFLICT DO NOTHING;

INSERT INTO app.organization_members (organization_id, user_id, role, invited_by, invited_at, joined_at, status)
SELECT
    pg_temp.id('organization', g.n / 10),
    pg_temp.id('user', g.n),
    (ARRAY['owner', 'admin', 'member', 'member', 'member', 'member', 'member', 'member', 'viewer', 'viewer'])[1 + g.n % 10],
    CASE WHEN g.n % 10 > 0 THEN pg_temp.id('user', g.n / 10 * 10) END,
    c.at,
    CASE WHEN s.status <> 'pending' THEN c.at + INTERVAL '1 day' END,
    s.status
FROM generate_series(0, 200 * pg_temp.scale() - 1) AS g (n)
CROSS JOIN LATERAL (SELECT CASE WHEN g.n % 10 > 1 AND pg_temp.pick('member', g.n, 20) = 0 THEN 'pending' ELSE 'active' END) AS s (status)
CROSS JOIN LATERAL (SELECT pg_temp.ago('member', g.n, 600)) AS c (at)
ON CONFLICT DO NOTHING;

-- Three projects for each organization; what was changed about each new one in the last year is in the audit log.
WITH added AS (
    INSERT INTO app.projects (id, organization_id, name, slug, description, status, visibility, settings, metadata, start_date, end_date,
                              created_by, created_at, updated_at)
    SELECT
        pg_temp.id('project', g.n),
        pg_temp.id('organization', g.n / 3),
        (ARRAY['Kitchens', 'Bathrooms', 'Solar panels', 'Windows', 'Fences'])[1 + pg_temp.pick('project', g.n, 5)] || ' ' || g.n,
        'project-' || g.n,
        'Visits, quotations and installations',
        (ARRAY['active', 'active', 'active', 'archived'])[1 + pg_temp.pick('status of project', g.n, 4)],
        (ARRAY['private', 'organization', 'organization', 'public'])[1 + pg_temp.pick('visibility', g.n, 4)],
        jsonb_build_object('board', (ARRAY['kanban', 'list'])[1 + pg_temp.pick('board', g.n, 2)]),
        jsonb_build_object('budget', 1000 * (1 + pg_temp.pick('budget', g.n, 90)), 'region', (ARRAY['north', 'south'])[1 + pg_temp.pick('region', g.n, 2)]),
        c.at::DATE,
        c.at::DATE + 365 + pg_temp.pick('end', g.n, 400),
        pg_temp.id('user', g.n / 3 * 10 + pg_temp.pick('creator', g.n, 8)),
        c.at,
        c.at
    FROM generate_series(0, 60 * pg_temp.scale() - 1) AS g (n)
    CROSS JOIN LATERAL (SELECT pg_temp.ago('project', g.n, 30) - INTERVAL '680 days') AS c (at)
    ON CONFLICT DO NOTHING
    RETURNING id, created_by
)
INSERT INTO audit.audit_log (table_schema, table_name, record_id, action, user_id, ip_address, old_values, new_values, changed_fields, created_at)
SELECT
    'app',
    'projects',
    a.id::TEXT,
    'UPDATE',
    a.created_by,
    '192.0.2.0'::INET + 1 + pg_temp.pick('address', g.n, 254),
    jsonb_build_object('id', a.id, 'settings', jsonb_build_object('board', 'list', 'columns', g.n)),
    jsonb_build_object('id', a.id, 'settings', jsonb_build_object('board', 'kanban', 'columns', g.n + 1)),
    ARRAY['settings'],
    date_trunc('day', now(), 'UTC') - make_interval(days => 340 - 17 * g.n, mins => pg_temp.pick(a.id::TEXT, g.n, 1440))
FROM added AS a
CROSS JOIN generate_series(0, 19) AS g (n);

-- 3,000 tasks over 23 months.
INSERT INTO app.tasks (id, project_id, title, description, status, priority, assignee_id, reporter_id, due_date, estimated_hours,
                       actual_hours, tags, metadata, position, created_at, updated_at, completed_at, deleted_at)
SELECT
    t.id,
    pg_temp.id('project', t.project),
    (ARRAY['Measure', 'Quote', 'Order parts for', 'Install', 'Repair', 'Inspect'])[1 + pg_temp.pick('verb', t.n, 6)] || ' '
        || (ARRAY['a kitchen', 'a bathroom', 'solar panels', 'windows', 'a fence', 'a boiler'])[1 + pg_temp.pick('object', t.n, 6)] || ' no. ' || t.n,
    (ARRAY[NULL, 'The customer asks to be called first.', 'Second floor, no lift.', 'Bring the long ladder and the photographs of the last visit.'])
        [1 + pg_temp.pick('description', t.n, 4)],
    t.status,
    (ARRAY['low', 'medium', 'medium', 'medium', 'high', 'urgent'])[1 + pg_temp.pick('priority', t.n, 6)],
    CASE WHEN pg_temp.pick('assigned', t.n, 8) > 0 THEN pg_temp.id('user', t.project / 3 * 10 + pg_temp.pick('assignee', t.n, 10)) END,
    pg_temp.id('user', t.project / 3 * 10 + pg_temp.pick('reporter', t.n, 8)),
    t.at + make_interval(days => 3 + pg_temp.pick('due', t.n, 40)),
    (1 + pg_temp.pick('estimate', t.n, 32)) / 2.0,
    CASE WHEN t.status = 'done' THEN (1 + pg_temp.pick('actual', t.n, 40)) / 2.0 END,
    ARRAY[(ARRAY['kitchen', 'bathroom', 'energy', 'garden'])[1 + pg_temp.pick('tag', t.n, 4)], (ARRAY['visit', 'office', 'warranty'])[1 + pg_temp.pick('other tag', t.n, 3)]],
    jsonb_build_object('source', (ARRAY['phone', 'web', 'store'])[1 + pg_temp.pick('source', t.n, 3)], 'visits', pg_temp.pick('visits', t.n, 4)),
    t.n % 100,
    t.at,
    LEAST(t.at + make_interval(hours => 1 + pg_temp.pick('took', t.n, 400)), now()),
    CASE WHEN t.status = 'done' THEN LEAST(t.at + make_interval(hours => 1 + pg_temp.pick('took', t.n, 400)), now()) END,
    CASE WHEN pg_temp.pick('deleted', t.n, 50) = 0 THEN now() END
FROM (
    SELECT
        g.n,
        pg_temp.id('task', g.n) AS id,
        pg_temp.pick('project of task', g.n, 60 * pg_temp.scale()) AS project,
        pg_temp.ago('task', g.n, 690) AS at,
        (ARRAY['todo', 'in_progress', 'review', 'done', 'done', 'done', 'done', 'blocked', 'cancelled'])[1 + pg_temp.pick('status of task', g.n, 9)] AS status
    FROM generate_series(0, 3000 * pg_temp.scale() - 1) AS g (n)
) AS t
WHERE NOT EXISTS (SELECT FROM app.tasks AS o WHERE o.id = t.id);

-- 1,500 comments by those who have to do with the task, and 300 attachments.
INSERT INTO app.comments (id, task_id, user_id, content, mentions, is_edited, created_at, updated_at)
SELECT
    c.id,
    t.id,
    COALESCE(CASE WHEN pg_temp.pick('author', c.n, 2) = 0 THEN t.assignee_id END, t.reporter_id),
    (ARRAY['Done as agreed.', 'The customer was not at home.', 'Parts arrive on Monday.', 'Please call me about this.', 'Photographs are attached.'])
        [1 + pg_temp.pick('content', c.n, 5)] || ' (' || c.n || ')',
    CASE WHEN pg_temp.pick('mention', c.n, 5) = 0 THEN ARRAY[t.reporter_id] END,
    pg_temp.pick('edited', c.n, 10) = 0,
    LEAST(t.created_at + make_interval(hours => 1 + pg_temp.pick('commented', c.n, 2000)), now()),
    LEAST(t.created_at + make_interval(hours => 1 + pg_temp.pick('commented', c.n, 2000)), now())
FROM (
    SELECT g.n, pg_temp.id('comment', g.n) AS id, pg_temp.id('task', pg_temp.pick('task of comment', g.n, 3000 * pg_temp.scale())) AS task_id
    FROM generate_series(0, 1500 * pg_temp.scale() - 1) AS g (n)
) AS c
JOIN app.tasks AS t ON t.id = c.task_id
WHERE NOT EXISTS (SELECT FROM app.comments AS o WHERE o.id = c.id);

INSERT INTO app.attachments (id, task_id, comment_id, uploaded_by, file_name, file_size, mime_type, storage_path, checksum, metadata, created_at)
SELECT
    a.id,
    c.task_id,
    c.id,
    c.user_id,
    format('visit-%s.%s', a.n, a.extension),
    10000 + pg_temp.pick('bytes', a.n, 4000000),
    CASE a.extension WHEN 'pdf' THEN 'application/pdf' ELSE 'image/jpeg' END,
    format('attachments/%s/%s', pg_temp.seed(), a.id),
    md5(a.id::TEXT) || md5('file ' || a.n),
    jsonb_build_object('width', 1024, 'pages', 1 + pg_temp.pick('pages', a.n, 9)),
    c.created_at
FROM (
    SELECT
        g.n,
        pg_temp.id('attachment', g.n) AS id,
        pg_temp.id('comment', pg_temp.pick('comment of attachment', g.n, 1500 * pg_temp.scale())) AS comment_id,
        (ARRAY['jpg', 'jpg', 'pdf'])[1 + pg_temp.pick('extension', g.n, 3)] AS extension
    FROM generate_series(0, 300 * pg_temp.scale() - 1) AS g (n)
) AS a
JOIN app.comments AS c ON c.id = a.comment_id
WHERE NOT EXISTS (SELECT FROM app.attachments AS o WHERE o.id = a.id);

INSERT INTO app.notifications (id, user_id, type, title, message, link, metadata, is_read, read_at, created_at)
SELECT
    n.id,
    pg_temp.id('user', pg_temp.pick('notified', n.n, 200 * pg_temp.scale())),
    n.type,
    (ARRAY['A task is yours', 'You were mentioned', 'A task is late', 'A new comment'])[array_position(ARRAY['assigned', 'mention', 'late', 'comment'], n.type)],
    'Open it to see more.',
    '/tasks/' || pg_temp.id('task', pg_temp.pick('task of notification', n.n, 3000 * pg_temp.scale())),
    jsonb_build_object('channel', (ARRAY['mail', 'app'])[1 + pg_temp.pick('channel', n.n, 2)]),
    n.is_read,
    CASE WHEN n.is_read THEN n.at + INTERVAL '20 minutes' END,
    n.at
FROM (
    SELECT
        g.n,
        pg_temp.id('notification', g.n) AS id,
        (ARRAY['assigned', 'mention', 'late', 'comment'])[1 + pg_temp.pick('type', g.n, 4)] AS type,
        pg_temp.pick('read', g.n, 3) > 0 AS is_read,
        pg_temp.ago('notification', g.n, 170) AS at
    FROM generate_series(0, 1500 * pg_temp.scale() - 1) AS g (n)
) AS n
WHERE NOT EXISTS (SELECT FROM app.notifications AS o WHERE o.id = n.id);

-- 500 sessions in eleven months; in each new one eight events, in those of the last six months four page views.
WITH added AS (
    INSERT INTO auth.sessions (id, user_id, token_hash, device_info, ip_address, user_agent, last_activity_at, expires_at, created_at)
    SELECT
        pg_temp.id('session', g.n),
        pg_temp.id('user', u.n),
        md5(format('token %s %s', pg_temp.seed(), g.n)),
        jsonb_build_object('os', (ARRAY['Android', 'iOS', 'Windows', 'Linux'])[1 + pg_temp.pick('os', g.n, 4)]),
        '198.51.100.0'::INET + 1 + pg_temp.pick('address of session', g.n, 254),
        'Mozilla/5.0 (sample)',
        c.at + INTERVAL '30 minutes',
        c.at + INTERVAL '30 days',
        c.at
    FROM generate_series(0, 500 * pg_temp.scale() - 1) AS g (n)
    CROSS JOIN LATERAL (SELECT pg_temp.pick('user of session', g.n, 200 * pg_temp.scale())) AS u (n)
    CROSS JOIN LATERAL (SELECT pg_temp.ago('session', g.n, 330) - INTERVAL '1 hour') AS c (at)
    ON CONFLICT DO NOTHING
    RETURNING id, user_id, ip_address, user_agent, created_at
), viewed AS (
    INSERT INTO analytics.page_views (user_id, session_id, url, referrer, duration_ms, metadata, created_at)
    SELECT
        a.user_id,
        a.id,
        (ARRAY['/', '/tasks', '/projects', '/calendar', '/reports', '/settings'])[1 + pg_temp.pick('url ' || a.id, g.n, 6)],
        CASE WHEN g.n = 0 THEN 'https://www.example.org/' END,
        500 + pg_temp.pick('duration ' || a.id, g.n, 60000),
        '{"device": "sample"}',
        a.created_at + make_interval(mins => 5 * g.n)
    FROM added AS a
    CROSS JOIN generate_series(0, 3) AS g (n)
    WHERE a.created_at > now() - INTERVAL '170 days'
)
INSERT INTO analytics.events (event_type, user_id, organization_id, session_id, properties, context, ip_address, user_agent, created_at)
SELECT
    CASE g.n WHEN 0 THEN 'login' ELSE (ARRAY['task.opened', 'task.moved', 'comment.added', 'search', 'report.exported'])[1 + pg_temp.pick('event ' || a.id, g.n, 5)] END,
    a.user_id,
    m.organization_id,
    a.id,
    jsonb_build_object('step', g.n, 'value', pg_temp.pick('value ' || a.id, g.n, 1000)),
    '{"app": "web", "version": "2.1"}',
    a.ip_address,
    a.user_agent,
    a.created_at + make_interval(mins => 3 * g.n)
FROM added AS a
LEFT JOIN app.organization_members AS m ON m.user_id = a.user_id
CROSS JOIN generate_series(0, 7) AS g (n);

-- Sales: four countries, eight business units, ten stores each, three systems.
INSERT INTO public.countries (code, name, currency, timezone, locale, configuration)
VALUES
    ('ES', 'Spain', 'EUR', 'Europe/Madrid', 'es-ES', '{"vat": 21}'),
    ('FR', 'France', 'EUR', 'Europe/Paris', 'fr-FR', '{"vat": 20}'),
    ('IT', 'Italy', 'EUR', 'Europe/Rome', 'it-IT', '{"vat": 22}'),
    ('PL', 'Poland', 'PLN', 'Europe/Warsaw', 'pl-PL', '{"vat": 23}')
ON CONFLICT DO NOTHING;

INSERT INTO public.business_units (id, country_code, code, name, type, configuration)
SELECT pg_temp.id('business unit', v.n), v.country_code, v.code, v.name, v.type, '{"visits_per_day": 6}'
FROM (VALUES
    (0, 'ES', 'LM_ES', 'Leroy Merlin España', 'RETAIL'), (1, 'ES', 'BD_ES', 'Brico Depôt España', 'RETAIL'),
    (2, 'FR', 'LM_FR', 'Leroy Merlin France', 'RETAIL'), (3, 'FR', 'BD_FR', 'Brico Dépôt France', 'B2B'),
    (4, 'IT', 'LM_IT', 'Leroy Merlin Italia', 'RETAIL'), (5, 'IT', 'BC_IT', 'Bricocenter', 'FRANCHISE'),
    (6, 'PL', 'LM_PL', 'Leroy Merlin Polska', 'RETAIL'), (7, 'PL', 'BD_PL', 'Brico Depot Polska', 'B2B')
) AS v (n, country_code, code, name, type)
ON CONFLICT DO NOTHING;

CREATE TEMPORARY TABLE IF NOT EXISTS demo_units (n INT, id UUID, country_code TEXT, currency TEXT) ON COMMIT DROP;
TRUNCATE demo_units;
INSERT INTO demo_units (n, id, country_code, currency)
SELECT v.n - 1, b.id, b.country_code, c.currency
FROM unnest(ARRAY['LM_ES', 'BD_ES', 'LM_FR', 'BD_FR', 'LM_IT', 'BC_IT', 'LM_PL', 'BD_PL']) WITH ORDINALITY AS v (code, n)
JOIN public.business_units AS b ON b.code = v.code
JOIN public.countries AS c ON c.code = b.country_code;

INSERT INTO public.stores (business_unit_id, store_code, name, address, phone, email, operational_hours)
SELECT
    u.id,
    'S' || lpad(g.n::TEXT, 3, '0'),
    t.city || ' ' || (ARRAY['Norte', 'Centro', 'Outlet'])[1 + pg_temp.pick('store', u.n * 10 + g.n, 3)],
    jsonb_build_object('city', t.city, 'street', 'Avenida ' || (1 + g.n), 'zip', lpad((28000 + u.n * 10 + g.n)::TEXT, 5, '0')),
    '+34 910 00' || lpad(g.n::TEXT, 4, '0'),
    format('store-%s-%s@example.org', u.n, g.n),
    '{"mon-sat": "09:00-22:00"}'
FROM demo_units AS u
CROSS JOIN generate_series(0, 9) AS g (n)
CROSS JOIN LATERAL (
    SELECT CASE u.country_code
        WHEN 'ES' THEN (ARRAY['Madrid', 'Sevilla', 'Valencia', 'Bilbao', 'Málaga'])[1 + g.n % 5]
        WHEN 'FR' THEN (ARRAY['Paris', 'Lyon', 'Lille', 'Nantes', 'Nîmes'])[1 + g.n % 5]
        WHEN 'IT' THEN (ARRAY['Milano', 'Roma', 'Torino', 'Napoli', 'Bari'])[1 + g.n % 5]
        ELSE (ARRAY['Warszawa', 'Kraków', 'Łódź', 'Gdańsk', 'Poznań'])[1 + g.n % 5]
    END
) AS t (city)
ON CONFLICT DO NOTHING;

INSERT INTO public.sales_systems (name, code, vendor, api_base_url, api_version, authentication_type, supported_countries, data_mapping)
VALUES
    ('Pyxis', 'PYXIS', 'in-house', 'https://pyxis.example.org/api', 'v3', 'oauth2', '{ES,FR,IT,PL}', '{"order_no": "sales_order_id"}'),
    ('Tempo', 'TEMPO', 'in-house', 'https://tempo.example.org/api', 'v1', 'api_key', '{ES,FR}', '{"ref": "sales_order_id"}'),
    ('SAP Commerce', 'SAP', 'SAP', 'https://sap.example.org/odata', 'v2', 'oauth2', '{IT,PL}', '{"VBELN": "sales_order_id"}')
ON CONFLICT DO NOTHING;

INSERT INTO public.business_unit_sales_systems (business_unit_id, sales_system_id, is_primary, priority)
SELECT u.id, s.id, s.code = 'PYXIS', CASE s.code WHEN 'PYXIS' THEN 10 ELSE 100 END
FROM demo_units AS u
JOIN public.sales_systems AS s ON s.code IN ('PYXIS', 'TEMPO', 'SAP') AND u.country_code = ANY (s.supported_countries)
ON CONFLICT DO NOTHING;

INSERT INTO public.sales_channel_configurations (business_unit_id, sales_channel, sla_p1_hours, sla_p2_hours, pricing_markup_percentage,
                                                 discount_percentage, allow_same_day_scheduling, auto_assign, notification_language, rules)
SELECT u.id, c.name, 24, 72, 5.00, u.n, c.name = 'IN_STORE', c.name IN ('ONLINE', 'MOBILE_APP'), lower(u.country_code), '{"max_visits": 3}'
FROM demo_units AS u
CROSS JOIN unnest(ARRAY['IN_STORE', 'ONLINE', 'PHONE', 'PARTNER', 'B2B', 'MOBILE_APP']) AS c (name)
ON CONFLICT DO NOTHING;

-- 200 customers' projects, each with an operator; some changed hands, which the history follows by itself.
INSERT INTO public.projects (id, project_name, customer_id, country_code, business_unit_id, status, responsible_operator_id, assignment_mode,
                             assigned_at, assigned_by, created_at, updated_at)
SELECT
    pg_temp.id('sales project', g.n),
    (ARRAY['New kitchen', 'Bathroom', 'Terrace', 'Insulation', 'Heating'])[1 + pg_temp.pick('kind', g.n, 5)] || ' for customer ' || g.n,
    pg_temp.id('customer', g.n),
    u.country_code,
    u.id,
    (ARRAY['OPEN', 'IN_PROGRESS', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED'])[1 + pg_temp.pick('status of sales project', g.n, 5)],
    CASE WHEN pg_temp.pick('operator', g.n, 10) > 0 THEN pg_temp.id('user', pg_temp.pick('operator', g.n, 40)) END,
    CASE WHEN pg_temp.pick('operator', g.n, 10) > 0 THEN (ARRAY['AUTO', 'MANUAL'])[1 + g.n % 2] END,
    c.at + INTERVAL '1 hour',
    CASE WHEN pg_temp.pick('operator', g.n, 10) > 0 THEN (ARRAY['SYSTEM', pg_temp.id('user', 1)::TEXT])[1 + g.n % 2] END,
    c.at,
    c.at
FROM generate_series(0, 200 * pg_temp.scale() - 1) AS g (n)
JOIN demo_units AS u ON u.n = pg_temp.pick('unit', g.n, 8)
CROSS JOIN LATERAL (SELECT pg_temp.ago('sales project', g.n, 500)) AS c (at)
ON CONFLICT DO NOTHING;

INSERT INTO public.sales_pre_estimations (id, sales_system_id, customer_id, estimated_value, currency, product_categories, created_at,
                                          valid_until, salesman_id, salesman_notes, confidence_level, metadata)
SELECT
    format('PRE-%s-%s', pg_temp.seed(), lpad(g.n::TEXT, 7, '0')),
    (ARRAY['PYXIS', 'TEMPO', 'SAP'])[1 + pg_temp.pick('system of estimation', g.n, 3)],
    pg_temp.id('customer', g.n % (200 * pg_temp.scale())),
    500 + pg_temp.pick('value', g.n, 2500000) / 100.0,
    u.currency,
    ARRAY[(ARRAY['KITCHEN', 'BATHROOM', 'FLOORING', 'HEATING'])[1 + pg_temp.pick('category', g.n, 4)]],
    c.at,
    c.at + INTERVAL '90 days',
    'salesman-' || pg_temp.pick('salesman', g.n, 30),
    (ARRAY['Customer compares with another offer.', 'Wants to begin soon.', NULL])[1 + pg_temp.pick('notes', g.n, 3)],
    (ARRAY['LOW', 'MEDIUM', 'HIGH'])[1 + pg_temp.pick('confidence', g.n, 3)],
    '{"source": "store"}'
FROM generate_series(0, 300 * pg_temp.scale() - 1) AS g (n)
JOIN demo_units AS u ON u.n = pg_temp.pick('unit of estimation', g.n, 8)
CROSS JOIN LATERAL (SELECT pg_temp.ago('estimation', g.n, 500)) AS c (at)
ON CONFLICT DO NOTHING;

-- 1,500 orders of 500 days, each with a received event and two assessments.
WITH added AS (
    INSERT INTO public.service_orders (id, country_code, business_unit_id, store_id, sales_system_id, sales_channel, sales_order_id,
                                       sales_order_number, sales_order_line_id, sales_order_metadata, project_id, service_type, product_category,
                                       product_sku, product_name, customer_id, customer_name, customer_phone, customer_email, service_address,
                                       order_date, requested_date, scheduled_date, status, priority, order_value_cents, service_fee_cents,
                                       created_at, updated_at, external_sales_order_id, external_lead_id, external_system_source,
                                       sales_potential, sales_potential_score, sales_potential_updated_at, sales_pre_estimation_id,
                                       salesman_notes, risk_level, risk_score, risk_assessed_at, risk_factors, estimated_duration_minutes)
    SELECT
        o.id,
        u.country_code,
        u.id,
        s.id,
        y.id,
        (ARRAY['IN_STORE', 'IN_STORE', 'ONLINE', 'ONLINE', 'PHONE', 'PARTNER', 'B2B', 'MOBILE_APP'])[1 + pg_temp.pick('channel of order', o.n, 8)],
        format('%s-%s-%s', y.code, pg_temp.seed(), lpad((o.n / 2)::TEXT, 8, '0')),
        lpad((o.n / 2)::TEXT, 8, '0'),
        (1 + o.n % 2)::TEXT,
        '{"currency": "EUR"}',
        p.id,
        o.service_type,
        (ARRAY['KITCHEN', 'BATHROOM', 'FLOORING', 'HEATING'])[1 + pg_temp.pick('category of order', o.n, 4)],
        'SKU-' || pg_temp.pick('sku', o.n, 5000),
        (ARRAY['Kitchen set', 'Shower', 'Parquet', 'Heat pump'])[1 + pg_temp.pick('category of order', o.n, 4)],
        COALESCE(p.customer_id, pg_temp.id('customer', o.n)),
        'Customer ' || o.n,
        '+34 600 ' || lpad(pg_temp.pick('phone of customer', o.n, 1000000)::TEXT, 6, '0'),
        format('customer-%s@example.org', o.n),
        jsonb_build_object('city', s.address ->> 'city', 'street', 'Calle ' || o.n),
        o.at,
        (o.at AT TIME ZONE 'UTC')::DATE + 7,
        CASE WHEN o.status <> 'NEW' THEN (o.at AT TIME ZONE 'UTC')::DATE + 3 + pg_temp.pick('scheduled', o.n, 30) END,
        o.status,
        (ARRAY['P1', 'P2', 'P2'])[1 + pg_temp.pick('priority of order', o.n, 3)],
        5000 + pg_temp.pick('value of order', o.n, 3000000),
        2000 + pg_temp.pick('fee', o.n, 40000),
        o.at,
        o.at,
        format('%s-%s', y.code, o.n),
        CASE WHEN pg_temp.pick('lead', o.n, 4) = 0 THEN 'LEAD-' || o.n END,
        y.code,
        o.potential,
        o.potential_score,
        o.at + INTERVAL '1 hour',
        CASE WHEN pg_temp.pick('estimated', o.n, 3) = 0 THEN format('PRE-%s-%s', pg_temp.seed(), lpad(pg_temp.pick('estimation of order', o.n, 300 * pg_temp.scale())::TEXT, 7, '0')) END,
        CASE WHEN pg_temp.pick('notes of order', o.n, 5) = 0 THEN 'Customer asks for a second quotation.' END,
        o.risk,
        o.risk_score,
        o.at + INTERVAL '2 hours',
        jsonb_build_array(jsonb_build_object('factor', 'reschedules', 'weight', o.risk_score / 100)),
        30 * (1 + pg_temp.pick('minutes', o.n, 12))
    FROM (
        SELECT
            g.n,
            pg_temp.id('order', g.n) AS id,
            pg_temp.pick('unit of order', g.n / 2, 8) AS unit,
            pg_temp.ago('order', g.n / 2, 500) AS at,
            (ARRAY['INSTALLATION', 'INSTALLATION', 'TV', 'QUOTATION', 'REPAIR'])[1 + pg_temp.pick('service', g.n, 5)] AS service_type,
            (ARRAY['NEW', 'SCHEDULED', 'IN_PROGRESS', 'COMPLETED', 'COMPLETED', 'COMPLETED', 'CLOSED', 'CANCELLED'])[1 + pg_temp.pick('status of order', g.n, 8)] AS status,
            pg_temp.pick('potential', g.n, 10001) / 100.0 AS potential_score,
            CASE WHEN pg_temp.pick('potential', g.n, 10001) < 5000 THEN 'LOW' WHEN pg_temp.pick('potential', g.n, 10001) < 8000 THEN 'MEDIUM' ELSE 'HIGH' END AS potential,
            pg_temp.pick('risk', g.n, 10001) / 100.0 AS risk_score,
            CASE WHEN pg_temp.pick('risk', g.n, 10001) < 6000 THEN 'LOW' WHEN pg_temp.pick('risk', g.n, 10001) < 8500 THEN 'MEDIUM'
                 WHEN pg_temp.pick('risk', g.n, 10001) < 9500 THEN 'HIGH' ELSE 'CRITICAL' END AS risk
        FROM generate_series(0, 1500 * pg_temp.scale() - 1) AS g (n)
    ) AS o
    JOIN demo_units AS u ON u.n = o.unit
    JOIN public.stores AS s ON s.business_unit_id = u.id AND s.store_code = 'S' || lpad(pg_temp.pick('store of order', o.n / 2, 10)::TEXT, 3, '0')
    JOIN public.sales_systems AS y ON y.code = CASE WHEN o.n / 2 % 3 > 0 THEN 'PYXIS' WHEN u.country_code IN ('ES', 'FR') THEN 'TEMPO' ELSE 'SAP' END
    LEFT JOIN public.projects AS p ON p.id = pg_temp.id('sales project', pg_temp.pick('project of order', o.n / 2, 260 * pg_temp.scale())) AND p.business_unit_id = u.id
    ON CONFLICT DO NOTHING
    RETURNING id, sales_system_id, sales_order_id, order_date, sales_potential, sales_potential_score, risk_level, risk_score,
              external_system_source, external_sales_order_id
), received AS (
    INSERT INTO public.sales_system_integration_events (sales_system_id, event_type, sales_order_id, service_order_id, status, payload, retry_count, processed_at, created_at)
    SELECT a.sales_system_id, 'ORDER_RECEIVED', a.sales_order_id, a.id, 'SUCCESS', jsonb_build_object('order', a.sales_order_id), 0, a.order_date + INTERVAL '5 seconds', a.order_date
    FROM added AS a
), potential AS (
    INSERT INTO public.sales_potential_assessments (service_order_id, assessed_at, potential_level, potential_score, model_version, input_features, contributing_factors)
    SELECT a.id, a.order_date + INTERVAL '1 hour', a.sales_potential, a.sales_potential_score, '1.4', '{"visits": 1}', '["order value"]'
    FROM added AS a
), risk AS (
    INSERT INTO public.risk_assessments (service_order_id, assessed_at, risk_level, risk_score, model_version, input_features, risk_factors, triggered_by)
    SELECT a.id, a.order_date + INTERVAL '2 hours', a.risk_level, a.risk_score, '2.0', '{"reschedules": 0}', '[{"factor": "reschedules"}]', 'BATCH_JOB'
    FROM added AS a
)
INSERT INTO public.external_reference_mappings (fsm_entity_type, fsm_entity_id, external_system_source, external_reference_type, external_reference_id, created_at)
SELECT 'SERVICE_ORDER', a.id, a.external_system_source, 'SALES_ORDER', a.external_sales_order_id, a.order_date
FROM added AS a;

REFRESH MATERIALIZED VIEW CONCURRENTLY analytics.project_stats;
REFRESH MATERIALIZED VIEW CONCURRENTLY analytics.user_activity_stats;
SELECT public.refresh_operator_workload();

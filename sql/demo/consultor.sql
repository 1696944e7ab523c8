-- consultor: sample rows for a demo: at scale 1 about 40 consultants, 1,500 leads, 2,000 conversations and 9,000 messages.
-- Settings: dbctl.scale multiplies the rows, dbctl.seed makes other ones. The same two give the same rows; dates count back
-- from today. Run again it adds nothing. Some rows are out of date, so that the retention functions have something to do.
-- Lock: ROW EXCLUSIVE, as any insert.

-- What the settings say, read once.
CREATE TEMPORARY TABLE demo_settings ON COMMIT DROP AS
SELECT
    COALESCE(NULLIF(current_setting('dbctl.scale', TRUE), ''), '1')::INT AS scale,
    COALESCE(NULLIF(current_setting('dbctl.seed', TRUE), ''), '1')::INT AS seed,
    date_trunc('day', now(), 'UTC') AS today;

-- A number from 0 to p_choices - 1 that depends on the key and the seed only.
CREATE OR REPLACE FUNCTION pg_temp.pick(p_key TEXT, p_seed INT, p_choices INT)
RETURNS INT
LANGUAGE sql
IMMUTABLE
AS $$ SELECT ((hashtextextended(p_key, p_seed) & 9223372036854775807) % p_choices)::INT $$;

CREATE OR REPLACE FUNCTION pg_temp.id_of(p_key TEXT, p_seed INT)
RETURNS UUID
LANGUAGE sql
IMMUTABLE
AS $$ SELECT md5(p_seed || ' ' || p_key)::UUID $$;

CREATE OR REPLACE FUNCTION pg_temp.name_of(p_key TEXT, p_seed INT)
RETURNS TEXT
LANGUAGE sql
IMMUTABLE
AS $$
    SELECT
        (ARRAY['Ana', 'João', 'Joana', 'José', 'Luís', 'Mônica', 'Antônio', 'Conceição', 'Sebastião', 'Letícia', 'Caio', 'Beatriz',
               'Rafael', 'Larissa', 'Thiago', 'Camila', 'Fábio', 'Patrícia', 'Vinícius', 'Sônia'])[1 + pg_temp.pick('first ' || p_key, p_seed, 20)]
        || ' ' ||
        (ARRAY['Silva', 'Souza', 'Gonçalves', 'Araújo', 'Magalhães', 'Pereira', 'Conceição', 'Simões', 'Brandão', 'Oliveira', 'Moraes',
               'Assunção', 'Lima', 'Falcão', 'Teixeira', 'Nóbrega'])[1 + pg_temp.pick('last ' || p_key, p_seed, 16)]
$$;

-- A Brazilian mobile number; 104729 and 10^8 have no common factor, so different numbers stay different.
CREATE OR REPLACE FUNCTION pg_temp.number_of(p_key TEXT, p_number BIGINT, p_seed INT)
RETURNS TEXT
LANGUAGE sql
IMMUTABLE
AS $$
    SELECT '+55' || (ARRAY['11', '21', '31', '41', '51', '61', '71', '81', '85', '91'])[1 + pg_temp.pick('area ' || p_key || p_number, p_seed, 10)]
        || '9' || lpad((p_number * 104729 % 100000000)::TEXT, 8, '0')
$$;

-- 40 consultants; every tenth has closed the account, half of those more than 90 days ago.
INSERT INTO consultants (id, email, password_hash, name, bio, crm_number, whatsapp_number, vertical, slug, profile_image_url,
                         is_active, subscription_tier, subscription_expires_at, created_at, updated_at, deactivated_at)
SELECT
    c.id,
    c.slug || '@exemplo.invalid',
    'sample: nobody can log in',
    c.name,
    'Consultoria em ' || (ARRAY['planos de saúde', 'imóveis', 'automóveis', 'seguros'])[1 + g.n % 4] || '. Atendimento todos os dias.',
    (ARRAY['CRM', 'CRECI'])[1 + g.n % 2] || '-' || 10000 + pg_temp.pick('crm ' || g.n, s.seed, 90000),
    pg_temp.number_of('consultant', g.n, s.seed),
    (ARRAY['health_plans', 'real_estate', 'automotive', 'insurance'])[1 + g.n % 4],
    c.slug,
    'https://imagens.exemplo.invalid/' || c.slug || '.jpg',
    c.closed IS NULL,
    t.tier,
    CASE WHEN t.tier <> 'free' THEN s.today + make_interval(days => pg_temp.pick('expires ' || g.n, s.seed, 365)) END,
    s.today - make_interval(days => 900 + pg_temp.pick('since ' || g.n, s.seed, 600)),
    COALESCE(c.closed, s.today - make_interval(days => pg_temp.pick('updated ' || g.n, s.seed, 90))),
    c.closed
FROM demo_settings AS s
CROSS JOIN LATERAL generate_series(0, 40 * s.scale - 1) AS g (n)
CROSS JOIN LATERAL (SELECT pg_temp.id_of('consultant ' || g.n, s.seed), pg_temp.name_of('consultant ' || g.n, s.seed)) AS i (id, name)
CROSS JOIN LATERAL (
    SELECT
        i.id,
        i.name,
        translate(lower(i.name), 'áàâãéêíóôõúç ', 'aaaaeeiooouc-') || '-' || left(i.id::TEXT, 8),
        CASE WHEN g.n % 10 = 9 THEN s.today - make_interval(days => 30 + g.n / 10 % 2 * 90 + pg_temp.pick('closed ' || g.n, s.seed, 30)) END
) AS c (id, name, slug, closed)
CROSS JOIN LATERAL (SELECT (ARRAY['free', 'free', 'free', 'pro', 'pro', 'agency'])[1 + pg_temp.pick('tier ' || g.n, s.seed, 6)]) AS t (tier)
ON CONFLICT DO NOTHING;

-- A template for each of the other verticals; that of health plans came with the migrations. Every fourth consultant has a flow.
INSERT INTO flows (id, name, vertical, description, definition, is_template, created_by)
SELECT
    pg_temp.id_of('template ' || t.vertical, 0), 'Triagem Básica - ' || t.title, t.vertical, 'Fluxo de exemplo: ' || t.title,
    jsonb_build_object('etapas', jsonb_build_array(
        jsonb_build_object('id', 'perfil', 'tipo', 'escolha', 'pergunta', t.question, 'proxima', 'prazo', 'opcoes', jsonb_build_array(
            jsonb_build_object('rotulo', 'Só eu', 'valor', 'individual'), jsonb_build_object('rotulo', 'Família', 'valor', 'familia'))),
        jsonb_build_object('id', 'prazo', 'tipo', 'escolha', 'pergunta', 'Para quando?', 'proxima', NULL, 'opcoes', jsonb_build_array(
            jsonb_build_object('rotulo', 'Agora', 'valor', 'agora'), jsonb_build_object('rotulo', 'Este ano', 'valor', 'ano'))))),
    TRUE, NULL
FROM (VALUES
    ('real_estate', 'Imóveis', 'Para quem é o imóvel?'),
    ('automotive', 'Automóveis', 'Quem vai usar o carro?'),
    ('insurance', 'Seguros', 'Quem você quer proteger?')
) AS t (vertical, title, question)
ON CONFLICT DO NOTHING;

INSERT INTO flows (id, name, vertical, description, definition, created_by, created_at, updated_at)
SELECT
    pg_temp.id_of('flow ' || g.n, s.seed), 'Fluxo de ' || c.name, c.vertical, 'Fluxo próprio',
    '{"etapas": [{"id": "perfil", "tipo": "escolha", "pergunta": "Como posso ajudar?", "opcoes": [{"rotulo": "Preços", "valor": "precos"}], "proxima": null}]}',
    c.id, c.created_at, c.created_at
FROM demo_settings AS s
CROSS JOIN LATERAL generate_series(0, 40 * s.scale - 1, 4) AS g (n)
JOIN consultants AS c ON c.id = pg_temp.id_of('consultant ' || g.n, s.seed)
ON CONFLICT DO NOTHING;

-- 1,500 leads of the last 900 days; some consultants have many, most have few.
INSERT INTO leads (id, consultant_id, whatsapp_number, name, profile_name, status, respostas, metadata, last_interaction_at, created_at, updated_at)
SELECT
    pg_temp.id_of('lead ' || g.n, s.seed),
    c.id,
    pg_temp.number_of('lead', g.n, s.seed),
    CASE WHEN g.n % 8 <> 0 THEN l.name END,
    split_part(l.name, ' ', 1),
    (ARRAY['novo', 'novo', 'novo', 'em_contato', 'em_contato', 'em_contato', 'agendado', 'agendado', 'fechado', 'perdido'])
        [1 + pg_temp.pick('status ' || g.n, s.seed, 10)],
    CASE WHEN g.n % 5 = 0 THEN '{}' ELSE jsonb_build_object(
        'perfil', (ARRAY['individual', 'casal', 'familia', 'empresarial'])[1 + pg_temp.pick('profile ' || g.n, s.seed, 4)],
        'idade', (ARRAY['ate_30', '31_45', '46_60', 'mais_60'])[1 + pg_temp.pick('age ' || g.n, s.seed, 4)],
        'copart', (ARRAY['sim', 'nao'])[1 + pg_temp.pick('copay ' || g.n, s.seed, 2)]
    ) END,
    jsonb_build_object(
        'source', (ARRAY['instagram', 'facebook', 'google', 'indicacao'])[1 + pg_temp.pick('source ' || g.n, s.seed, 4)],
        'utm_campaign', (ARRAY['black_friday', 'ano_novo', 'dia_das_maes', 'organico'])[1 + pg_temp.pick('campaign ' || g.n, s.seed, 4)]
    ),
    l.at, l.at, l.at
FROM demo_settings AS s
CROSS JOIN LATERAL generate_series(0, 1500 * s.scale - 1) AS g (n)
CROSS JOIN LATERAL (SELECT pg_temp.pick('consultant of ' || g.n, s.seed, 1000000) / 1000000.0) AS u (x)
JOIN consultants AS c ON c.id = pg_temp.id_of('consultant ' || floor(u.x * u.x * 40 * s.scale)::INT, s.seed)
CROSS JOIN LATERAL (
    SELECT
        pg_temp.name_of('lead ' || g.n, s.seed),
        LEAST(s.today - make_interval(mins => pg_temp.pick('at ' || g.n, s.seed, 900 * 1440)), c.deactivated_at)
) AS l (name, at)
ON CONFLICT DO NOTHING;

-- A conversation for each lead, for every third one an earlier, finished one.
INSERT INTO conversations (id, lead_id, flow_id, current_step, state, is_completed, started_at, completed_at, updated_at)
SELECT
    pg_temp.id_of(v.key, s.seed),
    l.id,
    f.id,
    CASE WHEN v.done THEN 'encerramento' ELSE 'perfil' END,
    jsonb_build_object('last_response', (1 + pg_temp.pick('response ' || v.key, s.seed, 4))::TEXT, 'retry_count', pg_temp.pick('retries ' || v.key, s.seed, 3)),
    v.done,
    v.started,
    v.ended,
    COALESCE(v.ended, v.started + INTERVAL '10 minutes')
FROM demo_settings AS s
CROSS JOIN LATERAL generate_series(0, 1500 * s.scale - 1) AS g (n)
CROSS JOIN LATERAL generate_series(0, CASE WHEN g.n % 3 = 0 THEN 1 ELSE 0 END) AS k (n)
JOIN leads AS l ON l.id = pg_temp.id_of('lead ' || g.n, s.seed)
JOIN consultants AS c ON c.id = l.consultant_id
JOIN (
    SELECT DISTINCT ON (t.vertical) t.vertical, t.id
    FROM flows AS t
    WHERE t.is_template
    ORDER BY t.vertical, t.created_at, t.id
) AS f ON f.vertical = c.vertical
CROSS JOIN LATERAL (
    SELECT
        'conversation ' || g.n || ' ' || k.n,
        k.n = 1 OR pg_temp.pick('done ' || g.n, s.seed, 10) < 6,
        l.created_at + CASE WHEN k.n = 0 AND g.n % 3 = 0 THEN (s.today - l.created_at) / 2 ELSE INTERVAL '0' END
) AS w (key, done, started)
CROSS JOIN LATERAL (
    SELECT w.key, w.done, w.started, CASE WHEN w.done THEN w.started + make_interval(mins => 5 + pg_temp.pick('length ' || w.key, s.seed, 60)) END
) AS v (key, done, started, ended)
ON CONFLICT DO NOTHING;

-- Two to seven messages a conversation, in turns. What archive_messages() has moved away stays away.
INSERT INTO messages (id, conversation_id, direction, content, message_type, media_url, whatsapp_message_id, status, error_message, created_at)
SELECT
    m.id,
    v.id,
    CASE WHEN t.n % 2 = 0 THEN 'inbound' ELSE 'outbound' END,
    CASE WHEN t.n % 2 = 0
        THEN (ARRAY['Oi, tudo bem?', 'Família', '2', 'Quero saber os preços', 'Obrigado!', 'Pode me ligar?'])[1 + pg_temp.pick('in ' || m.key, s.seed, 6)]
        ELSE (ARRAY['Você busca plano para:', 'Qual a faixa de idade?', 'Aceita coparticipação?', 'Aqui está a sua comparação.',
                    'Vou chamar quem cuida disso.'])[1 + pg_temp.pick('out ' || m.key, s.seed, 5)]
    END,
    m.type,
    CASE WHEN m.type = 'image' THEN 'https://imagens.exemplo.invalid/' || m.id || '.png' END,
    'wamid.' || replace(m.id::TEXT, '-', ''),
    CASE WHEN m.failed THEN 'failed' ELSE (ARRAY['sent', 'delivered', 'read', 'read'])[1 + pg_temp.pick('state ' || m.key, s.seed, 4)] END,
    CASE WHEN m.failed THEN 'number not on WhatsApp' END,
    v.started_at + make_interval(mins => t.n)
FROM demo_settings AS s
CROSS JOIN LATERAL generate_series(0, 1500 * s.scale - 1) AS g (n)
CROSS JOIN LATERAL generate_series(0, CASE WHEN g.n % 3 = 0 THEN 1 ELSE 0 END) AS k (n)
CROSS JOIN LATERAL (SELECT 'conversation ' || g.n || ' ' || k.n) AS w (key)
JOIN conversations AS v ON v.id = pg_temp.id_of(w.key, s.seed)
CROSS JOIN LATERAL generate_series(0, 1 + pg_temp.pick('messages ' || w.key, s.seed, 6)) AS t (n)
CROSS JOIN LATERAL (SELECT w.key || ' ' || t.n) AS x (key)
CROSS JOIN LATERAL (
    SELECT
        x.key,
        pg_temp.id_of('message ' || x.key, s.seed),
        CASE WHEN t.n % 2 = 1 AND pg_temp.pick('type ' || x.key, s.seed, 6) = 0 THEN 'image'
             WHEN t.n % 2 = 1 AND pg_temp.pick('type ' || x.key, s.seed, 6) < 3 THEN 'list'
             ELSE 'text' END,
        t.n % 2 = 1 AND pg_temp.pick('failed ' || x.key, s.seed, 50) = 0
) AS m (key, id, type, failed)
WHERE NOT EXISTS (SELECT FROM messages_archive AS a WHERE a.id = m.id)
ON CONFLICT DO NOTHING;

-- An AI response for each conversation, an image for every fourth lead.
INSERT INTO ai_responses (id, lead_id, conversation_id, prompt, response, model, tokens_used, latency_ms, was_cached,
                          compliance_check_passed, compliance_flags, created_at)
SELECT
    pg_temp.id_of('response of ' || w.key, s.seed),
    v.lead_id,
    v.id,
    'Responda ao cliente sobre planos e coberturas, em português, sem prometer preços.',
    (ARRAY['Claro! Posso comparar três opções para você.', 'A carência depende do plano; veja a comparação.',
           'Com coparticipação a mensalidade é menor.'])[1 + pg_temp.pick('answer ' || w.key, s.seed, 3)],
    (ARRAY['llama-3.1-70b-versatile', 'llama-3.1-70b-versatile', 'llama-3.1-8b-instant'])[1 + pg_temp.pick('model ' || w.key, s.seed, 3)],
    200 + pg_temp.pick('tokens ' || w.key, s.seed, 1800),
    150 + pg_temp.pick('latency ' || w.key, s.seed, 2500),
    pg_temp.pick('cached ' || w.key, s.seed, 5) = 0,
    pg_temp.pick('flagged ' || w.key, s.seed, 33) <> 0,
    CASE WHEN pg_temp.pick('flagged ' || w.key, s.seed, 33) = 0 THEN '["price_promise"]' ELSE '[]' END::JSONB,
    v.started_at + INTERVAL '1 minute'
FROM demo_settings AS s
CROSS JOIN LATERAL generate_series(0, 1500 * s.scale - 1) AS g (n)
CROSS JOIN LATERAL generate_series(0, CASE WHEN g.n % 3 = 0 THEN 1 ELSE 0 END) AS k (n)
CROSS JOIN LATERAL (SELECT 'conversation ' || g.n || ' ' || k.n) AS w (key)
JOIN conversations AS v ON v.id = pg_temp.id_of(w.key, s.seed)
ON CONFLICT DO NOTHING;

INSERT INTO generated_images (id, lead_id, consultant_id, template_id, template_data, image_url, file_size_bytes, generation_time_ms, created_at)
SELECT
    i.id,
    l.id,
    l.consultant_id,
    'comparacao-' || 1 + g.n / 4 % 3,
    jsonb_build_object('cliente', l.profile_name, 'planos', jsonb_build_array('Essencial', 'Completo'),
                       'mensalidade', 200 + pg_temp.pick('price ' || g.n, s.seed, 1500)),
    'https://imagens.exemplo.invalid/' || i.id || '.png',
    40000 + pg_temp.pick('size ' || g.n, s.seed, 400000),
    800 + pg_temp.pick('time ' || g.n, s.seed, 4000),
    l.created_at + INTERVAL '5 minutes'
FROM demo_settings AS s
CROSS JOIN LATERAL generate_series(0, 1500 * s.scale - 1, 4) AS g (n)
JOIN leads AS l ON l.id = pg_temp.id_of('lead ' || g.n, s.seed)
CROSS JOIN LATERAL (SELECT pg_temp.id_of('image ' || g.n, s.seed)) AS i (id)
ON CONFLICT DO NOTHING;

-- 2,000 webhooks of the last 45 days. Those that cleanup_webhook_events() would delete come back when the demo runs again.
INSERT INTO webhook_events (id, event_type, payload, signature, processed, processing_error, retry_count, received_at, processed_at)
SELECT
    i.id,
    CASE WHEN g.n % 3 = 0 THEN 'status_update' ELSE 'message' END,
    jsonb_build_object('object', 'whatsapp_business_account', 'id', 'wamid.' || replace(i.id::TEXT, '-', ''), 'attempt', 1),
    'sha256=' || md5(i.id::TEXT) || md5('signature ' || i.id),
    NOT i.failed,
    CASE WHEN i.failed THEN 'flow not found' END,
    CASE WHEN i.failed THEN 3 ELSE 0 END,
    i.at,
    CASE WHEN NOT i.failed THEN i.at + INTERVAL '2 seconds' END
FROM demo_settings AS s
CROSS JOIN LATERAL generate_series(0, 2000 * s.scale - 1) AS g (n)
CROSS JOIN LATERAL (
    SELECT
        pg_temp.id_of('webhook ' || g.n, s.seed),
        pg_temp.pick('webhook failed ' || g.n, s.seed, 40) = 0,
        s.today - make_interval(secs => pg_temp.pick('webhook at ' || g.n, s.seed, 45 * 86400))
) AS i (id, failed, at)
ON CONFLICT DO NOTHING;

-- 1,500 audit entries of five years and a month; older than 90 days they have lost their address, all but the last ten days of it.
INSERT INTO audit_logs (id, consultant_id, action, resource_type, resource_id, details, ip_address, user_agent, created_at)
SELECT
    pg_temp.id_of('audit ' || g.n, s.seed),
    c.id,
    a.action,
    CASE WHEN a.action <> 'login' THEN 'lead' END,
    CASE WHEN a.action <> 'login' THEN pg_temp.id_of('lead ' || pg_temp.pick('audited ' || g.n, s.seed, 1500 * s.scale), s.seed) END,
    CASE WHEN a.action = 'lead_exported' THEN '{"format": "csv"}' ELSE '{}' END::JSONB,
    CASE WHEN a.at > s.today - INTERVAL '100 days' THEN
        CASE WHEN g.n % 4 = 0 THEN '2001:db8::' || to_hex(1 + pg_temp.pick('ip ' || g.n, s.seed, 65000))
             ELSE '203.0.113.' || 1 + pg_temp.pick('ip ' || g.n, s.seed, 254) END
    END::INET,
    'Mozilla/5.0 (sample)',
    a.at
FROM demo_settings AS s
CROSS JOIN LATERAL generate_series(0, 1500 * s.scale - 1) AS g (n)
JOIN consultants AS c ON c.id = pg_temp.id_of('consultant ' || pg_temp.pick('audit of ' || g.n, s.seed, 40 * s.scale), s.seed)
CROSS JOIN LATERAL (
    SELECT
        (ARRAY['login', 'login', 'login', 'lead_viewed', 'lead_exported', 'lead_updated'])[1 + pg_temp.pick('action ' || g.n, s.seed, 6)],
        s.today - make_interval(mins => pg_temp.pick('audit at ' || g.n, s.seed, (365 * 5 + 31) * 1440))
) AS a (action, at)
ON CONFLICT DO NOTHING;

ANALYZE consultants, leads, conversations, messages, ai_responses;

SELECT refresh_analytics();

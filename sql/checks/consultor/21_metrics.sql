-- check: consultant_metrics counts every lead, conversation and AI response once, leaves out inactive consultants, and is zero, not absent, for a new one.

CREATE FUNCTION pg_temp.expect(p_what TEXT, p_got TEXT, p_wanted TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    IF p_got IS DISTINCT FROM p_wanted THEN
        RAISE EXCEPTION 'check failed: % is %, not %', p_what, COALESCE(p_got, 'null'), COALESCE(p_wanted, 'null');
    END IF;
END;
$$;
-- Two consultants, A and B, with a lead, a flow and a conversation each.
INSERT INTO consultants (id, email, password_hash, name, whatsapp_number, vertical, slug)
VALUES
    ('c0000000-0000-4000-8000-00000000000a', 'a@check.invalid', 'hash of A', 'Check A', '+550000000000', 'insurance', 'check-slug-a'),
    ('c0000000-0000-4000-8000-00000000000b', 'b@check.invalid', 'hash of B', 'Check B', '+550000000000', 'insurance', 'check-slug-b');

INSERT INTO leads (id, consultant_id, whatsapp_number, name)
VALUES
    ('1ead0000-0000-4000-8000-00000000000a', 'c0000000-0000-4000-8000-00000000000a', '+550000000001', 'Lead of A'),
    ('1ead0000-0000-4000-8000-00000000000b', 'c0000000-0000-4000-8000-00000000000b', '+550000000001', 'Lead of B');

INSERT INTO flows (id, name, vertical, definition, created_by)
VALUES
    ('f1000000-0000-4000-8000-00000000000a', 'Flow of A', 'insurance', '{}', 'c0000000-0000-4000-8000-00000000000a'),
    ('f1000000-0000-4000-8000-00000000000b', 'Flow of B', 'insurance', '{}', 'c0000000-0000-4000-8000-00000000000b');

INSERT INTO conversations (id, lead_id, flow_id)
VALUES
    ('c0170000-0000-4000-8000-00000000000a', '1ead0000-0000-4000-8000-00000000000a', 'f1000000-0000-4000-8000-00000000000a'),
    ('c0170000-0000-4000-8000-00000000000b', '1ead0000-0000-4000-8000-00000000000b', 'f1000000-0000-4000-8000-00000000000b');
INSERT INTO leads (id, consultant_id, whatsapp_number, status)
VALUES
    ('1ead0000-0000-4000-8000-00000000000c', 'c0000000-0000-4000-8000-00000000000a', '+550000000003', 'em_contato'),
    ('1ead0000-0000-4000-8000-00000000000d', 'c0000000-0000-4000-8000-00000000000a', '+550000000004', 'agendado'),
    ('1ead0000-0000-4000-8000-00000000000e', 'c0000000-0000-4000-8000-00000000000a', '+550000000005', 'fechado'),
    ('1ead0000-0000-4000-8000-00000000000f', 'c0000000-0000-4000-8000-00000000000a', '+550000000006', 'perdido');

-- Besides the active one of lead A, two finished conversations of 10 and 20 minutes; three AI responses for the lead.
INSERT INTO conversations (lead_id, flow_id, is_completed, started_at, completed_at)
VALUES
    ('1ead0000-0000-4000-8000-00000000000a', 'f1000000-0000-4000-8000-00000000000a', TRUE, '2025-01-01 12:00:00+00', '2025-01-01 12:10:00+00'),
    ('1ead0000-0000-4000-8000-00000000000a', 'f1000000-0000-4000-8000-00000000000a', TRUE, '2025-01-02 12:00:00+00', '2025-01-02 12:20:00+00');
INSERT INTO ai_responses (lead_id, prompt, response, model, tokens_used, latency_ms)
VALUES
    ('1ead0000-0000-4000-8000-00000000000a', 'p', 'r', 'm', 100, 10),
    ('1ead0000-0000-4000-8000-00000000000a', 'p', 'r', 'm', 100, 20),
    ('1ead0000-0000-4000-8000-00000000000a', 'p', 'r', 'm', 100, 60),
    ('1ead0000-0000-4000-8000-00000000000a', 'p', 'r', 'm', NULL, NULL);

-- One who is new, one who is closed.
INSERT INTO consultants (id, email, password_hash, name, whatsapp_number, vertical, slug, is_active)
VALUES
    ('c0000000-0000-4000-8000-00000000000c', 'c@check.invalid', 'x', 'Check C', '+550000000000', 'automotive', 'check-slug-c', TRUE),
    ('c0000000-0000-4000-8000-00000000000d', 'd@check.invalid', 'x', 'Check D', '+550000000000', 'automotive', 'check-slug-d', FALSE);

SELECT refresh_analytics();

SELECT
    pg_temp.expect('name, vertical', format('%s %s', m.name, m.vertical), 'Check A insurance'),
    pg_temp.expect('total_leads', m.total_leads::TEXT, '5'),
    pg_temp.expect('leads_novo', m.leads_novo::TEXT, '1'),
    pg_temp.expect('leads_em_contato', m.leads_em_contato::TEXT, '1'),
    pg_temp.expect('leads_agendado', m.leads_agendado::TEXT, '1'),
    pg_temp.expect('leads_fechado', m.leads_fechado::TEXT, '1'),
    pg_temp.expect('total_conversations', m.total_conversations::TEXT, '3'),
    pg_temp.expect('completed_conversations', m.completed_conversations::TEXT, '2'),
    pg_temp.expect('avg_conversation_duration_minutes', round(m.avg_conversation_duration_minutes::NUMERIC, 6)::TEXT, '15.000000'),
    pg_temp.expect('total_tokens_used', m.total_tokens_used::TEXT, '300'),
    pg_temp.expect('avg_ai_latency_ms', round(m.avg_ai_latency_ms, 6)::TEXT, '30.000000')
FROM consultant_metrics AS m
WHERE m.consultant_id = 'c0000000-0000-4000-8000-00000000000a';

SELECT pg_temp.expect('the rows', string_agg(format('%s: %s %s %s', m.name, m.total_leads, m.total_conversations, m.total_tokens_used), ', ' ORDER BY m.name),
                      'Check A: 5 3 300, Check B: 1 1 0, Check C: 0 0 0')
FROM consultant_metrics AS m
WHERE m.consultant_id IN ('c0000000-0000-4000-8000-00000000000a', 'c0000000-0000-4000-8000-00000000000b', 'c0000000-0000-4000-8000-00000000000c', 'c0000000-0000-4000-8000-00000000000d');

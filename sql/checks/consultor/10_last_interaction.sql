-- check: every message moves last_interaction_at of its lead forward to its own time, a late one never back, and only of its lead.

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
UPDATE leads SET last_interaction_at = '2025-01-01 12:00:00+00' WHERE id IN ('1ead0000-0000-4000-8000-00000000000a', '1ead0000-0000-4000-8000-00000000000b');

CREATE FUNCTION pg_temp.expect_time(p_what TEXT, p_lead UUID, p_wanted TIMESTAMPTZ)
RETURNS VOID
LANGUAGE sql
AS $$
    SELECT pg_temp.expect('last_interaction_at after ' || p_what, l.last_interaction_at::TEXT, p_wanted::TEXT) FROM leads AS l WHERE l.id = p_lead
$$;

INSERT INTO messages (conversation_id, direction, content, created_at) VALUES ('c0170000-0000-4000-8000-00000000000a', 'inbound', 'Oi', '2025-01-02 12:00:00+00');
SELECT pg_temp.expect_time('a message', '1ead0000-0000-4000-8000-00000000000a', '2025-01-02 12:00:00+00');
SELECT pg_temp.expect_time('a message of another lead', '1ead0000-0000-4000-8000-00000000000b', '2025-01-01 12:00:00+00');

INSERT INTO messages (conversation_id, direction, content, created_at) VALUES ('c0170000-0000-4000-8000-00000000000a', 'outbound', 'Olá', '2025-01-01 18:00:00+00');
SELECT pg_temp.expect_time('a late message', '1ead0000-0000-4000-8000-00000000000a', '2025-01-02 12:00:00+00');

INSERT INTO messages (conversation_id, direction, content, created_at)
SELECT c.id::UUID, 'outbound', 'Olá', '2025-01-03 12:00:00+00'::TIMESTAMPTZ - g.n * INTERVAL '1 hour'
FROM generate_series(0, 99) AS g (n)
CROSS JOIN (VALUES ('c0170000-0000-4000-8000-00000000000a'), ('c0170000-0000-4000-8000-00000000000b')) AS c (id);
SELECT pg_temp.expect_time('many messages in one statement', '1ead0000-0000-4000-8000-00000000000a', '2025-01-03 12:00:00+00');
SELECT pg_temp.expect_time('many messages of two leads', '1ead0000-0000-4000-8000-00000000000b', '2025-01-03 12:00:00+00');

-- A message that is skipped is no exchange.
INSERT INTO messages (id, conversation_id, direction, content, created_at) VALUES ('a0000000-0000-4000-8000-00000000000a', 'c0170000-0000-4000-8000-00000000000a', 'inbound', 'Oi', '2025-01-01 00:00:00+00');
INSERT INTO messages (id, conversation_id, direction, content, created_at)
VALUES ('a0000000-0000-4000-8000-00000000000a', 'c0170000-0000-4000-8000-00000000000a', 'inbound', 'Oi', '2025-01-09 00:00:00+00')
ON CONFLICT DO NOTHING;
SELECT pg_temp.expect_time('a skipped message', '1ead0000-0000-4000-8000-00000000000a', '2025-01-03 12:00:00+00');

-- check: the documented queries of the dashboard run, find a consultant who is not in the metrics yet, and page without losing or repeating a lead.

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
PREPARE check_dashboard (UUID) AS
SELECT
    c.name,
    c.bio,
    COALESCE(cm.total_leads, 0) AS total_leads,
    COALESCE(cm.leads_fechado, 0) AS leads_fechado,
    round(cm.leads_fechado::NUMERIC / NULLIF(cm.total_leads, 0) * 100, 2) AS conversion_rate
FROM consultants AS c
LEFT JOIN consultant_metrics AS cm ON cm.consultant_id = c.id
WHERE c.id = $1;

-- The page after the lead ($4, $5), the last one of the page before: no OFFSET, which counts again what came in between.
PREPARE check_leads (UUID, VARCHAR, TIMESTAMPTZ, TIMESTAMPTZ, UUID) AS
SELECT
    l.id,
    l.name,
    l.whatsapp_number,
    l.status,
    l.respostas,
    l.created_at,
    (
        SELECT count(*)
        FROM conversations AS v
        JOIN messages AS m ON m.conversation_id = v.id
        WHERE v.lead_id = l.id
    ) AS message_count
FROM leads AS l
WHERE l.consultant_id = $1
  AND ($2 IS NULL OR l.status = $2)
  AND l.created_at >= COALESCE($3, '-infinity')
  AND ($4 IS NULL OR (l.created_at, l.id) < ($4, $5))
ORDER BY l.created_at DESC, l.id DESC
LIMIT 20;

INSERT INTO messages (conversation_id, direction, content) VALUES ('c0170000-0000-4000-8000-00000000000a', 'inbound', 'Oi'), ('c0170000-0000-4000-8000-00000000000a', 'outbound', 'Olá');
INSERT INTO leads (consultant_id, whatsapp_number, status, created_at)
SELECT 'c0000000-0000-4000-8000-00000000000a', '+55100000000' || g.n, 'agendado', '2025-01-01 00:00:00+00'::TIMESTAMPTZ + (g.n / 3) * INTERVAL '1 hour'
FROM generate_series(1, 45) AS g (n);

CREATE TEMPORARY TABLE dashboard ON COMMIT DROP AS EXECUTE check_dashboard ('c0000000-0000-4000-8000-00000000000a');
SELECT pg_temp.expect('the dashboard before a refresh', string_agg(format('%s %s', d.name, d.total_leads), ', '), 'Check A 0') FROM dashboard AS d;
SELECT refresh_analytics();
INSERT INTO leads (consultant_id, whatsapp_number) VALUES ('c0000000-0000-4000-8000-00000000000b', '+551000000000');
CREATE TEMPORARY TABLE dashboard_after ON COMMIT DROP AS EXECUTE check_dashboard ('c0000000-0000-4000-8000-00000000000a');
SELECT pg_temp.expect('the dashboard after a refresh', string_agg(format('%s %s', d.name, d.total_leads), ', '), 'Check A 46') FROM dashboard_after AS d;

CREATE TEMPORARY TABLE page_1 ON COMMIT DROP AS EXECUTE check_leads ('c0000000-0000-4000-8000-00000000000a', NULL, NULL, NULL, NULL);
SELECT pg_temp.expect('the first lead', format('%s %s', p.id, p.message_count), '1ead0000-0000-4000-8000-00000000000a 2') FROM page_1 AS p ORDER BY p.created_at DESC, p.id DESC LIMIT 1;

CREATE TEMPORARY TABLE seen (id UUID NOT NULL, created_at TIMESTAMPTZ NOT NULL) ON COMMIT DROP;
INSERT INTO seen (id, created_at) SELECT p.id, p.created_at FROM page_1 AS p;

DO $$
DECLARE
    v_last seen;
    v_rows BIGINT;
BEGIN
    LOOP
        SELECT s.* INTO v_last FROM seen AS s ORDER BY s.created_at, s.id LIMIT 1;
        EXECUTE format('CREATE TEMPORARY TABLE page ON COMMIT DROP AS EXECUTE check_leads (%L, NULL, NULL, %L, %L)', 'c0000000-0000-4000-8000-00000000000a', v_last.created_at, v_last.id);
        INSERT INTO seen (id, created_at) SELECT p.id, p.created_at FROM page AS p;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        DROP TABLE page;
        EXIT WHEN v_rows = 0;
    END LOOP;
END;
$$;
SELECT pg_temp.expect('the leads of all pages', format('%s %s', count(*), count(DISTINCT s.id)), '46 46') FROM seen AS s;

CREATE TEMPORARY TABLE filtered ON COMMIT DROP AS EXECUTE check_leads ('c0000000-0000-4000-8000-00000000000a', 'agendado', '2025-01-01 10:00:00+00', NULL, NULL);
SELECT pg_temp.expect('the leads with a status since a time', format('%s %s', count(*), min(f.created_at) = '2025-01-01 10:00:00+00'), '16 t') FROM filtered AS f;

DEALLOCATE check_dashboard;
DEALLOCATE check_leads;

-- check: daily_lead_stats counts by the day in São Paulo, whatever time zone the session has that refreshes it.

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
DELETE FROM leads WHERE id = '1ead0000-0000-4000-8000-00000000000a';
INSERT INTO leads (consultant_id, whatsapp_number, status, created_at)
VALUES
    ('c0000000-0000-4000-8000-00000000000a', '+550000000011', 'fechado', '2025-03-10 23:30:00-03'),
    ('c0000000-0000-4000-8000-00000000000a', '+550000000012', 'novo', '2025-03-10 00:00:00-03'),
    ('c0000000-0000-4000-8000-00000000000a', '+550000000013', 'novo', '2025-03-10 12:00:00-03'),
    ('c0000000-0000-4000-8000-00000000000a', '+550000000014', 'fechado', '2025-03-11 00:00:00-03');

CREATE FUNCTION pg_temp.expect_days(p_zone TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM set_config('TimeZone', p_zone, TRUE);
    PERFORM refresh_analytics();
    PERFORM pg_temp.expect('the days refreshed in ' || p_zone, (
        SELECT string_agg(format('%s: %s %s %s', to_char(s.date, 'YYYY-MM-DD'), s.leads_created, s.leads_closed, s.conversion_rate), ', ' ORDER BY s.date)
        FROM daily_lead_stats AS s
        WHERE s.consultant_id = 'c0000000-0000-4000-8000-00000000000a'
    ), '2025-03-10: 3 1 33.33, 2025-03-11: 1 1 100.00');
END;
$$;

SELECT pg_temp.expect_days(z.name)
FROM (VALUES ('UTC'), ('America/Sao_Paulo'), ('Pacific/Auckland')) AS z (name);

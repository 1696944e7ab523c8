-- check: a consultant closed for 90 days goes with everything about the leads, prompts, images and archive too; others and the audit trail stay.

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
UPDATE consultants SET is_active = FALSE, deactivated_at = '1970-01-01 00:00:00+00' WHERE id = 'c0000000-0000-4000-8000-00000000000a';
INSERT INTO consultants (id, email, password_hash, name, whatsapp_number, vertical, slug, is_active, deactivated_at)
VALUES
    ('c0000000-0000-4000-8000-00000000000c', 'c@check.invalid', 'x', 'Check C', '+550000000000', 'automotive', 'check-slug-c', FALSE, '1970-01-02 00:00:00+00'),
    ('c0000000-0000-4000-8000-00000000000d', 'd@check.invalid', 'x', 'Check D', '+550000000000', 'automotive', 'check-slug-d', FALSE, now() - INTERVAL '89 days');

INSERT INTO messages (conversation_id, direction, content) VALUES ('c0170000-0000-4000-8000-00000000000a', 'inbound', 'Oi');
INSERT INTO messages_archive (id, conversation_id, direction, content, message_type, status, created_at)
VALUES ('a0000000-0000-4000-8000-00000000000a', 'c0170000-0000-4000-8000-00000000000a', 'inbound', 'Oi', 'text', 'read', '1970-01-01 00:00:00+00');
INSERT INTO ai_responses (lead_id, conversation_id, prompt, response, model)
VALUES
    ('1ead0000-0000-4000-8000-00000000000a', 'c0170000-0000-4000-8000-00000000000a', 'check a', 'r', 'm'), ('1ead0000-0000-4000-8000-00000000000a', NULL, 'check a', 'r', 'm'), (NULL, 'c0170000-0000-4000-8000-00000000000a', 'check a', 'r', 'm'),
    ('1ead0000-0000-4000-8000-00000000000b', 'c0170000-0000-4000-8000-00000000000b', 'check b', 'r', 'm');
INSERT INTO generated_images (lead_id, consultant_id, template_id, template_data, image_url)
VALUES
    ('1ead0000-0000-4000-8000-00000000000a', 'c0000000-0000-4000-8000-00000000000a', 'check a', '{}', 'u'), ('1ead0000-0000-4000-8000-00000000000a', NULL, 'check a', '{}', 'u'), (NULL, 'c0000000-0000-4000-8000-00000000000a', 'check a', '{}', 'u'),
    ('1ead0000-0000-4000-8000-00000000000b', 'c0000000-0000-4000-8000-00000000000b', 'check b', '{}', 'u');
INSERT INTO flows (id, name, vertical, definition, created_by, is_template)
VALUES
    ('f1000000-0000-4000-8000-00000000000c', 'Used by B', 'insurance', '{}', 'c0000000-0000-4000-8000-00000000000a', FALSE),
    ('f1000000-0000-4000-8000-00000000000d', 'Check template of A', 'insurance', '{}', 'c0000000-0000-4000-8000-00000000000a', TRUE);
INSERT INTO conversations (lead_id, flow_id, is_completed) VALUES ('1ead0000-0000-4000-8000-00000000000b', 'f1000000-0000-4000-8000-00000000000c', TRUE);
SELECT log_audit_event('c0000000-0000-4000-8000-00000000000a', 'login');

SELECT pg_temp.expect('the size of a batch of one', purge_closed_consultants(90, 1)::TEXT, '1');
SELECT pg_temp.expect('who is left after a batch of one', string_agg(c.name, ', ' ORDER BY c.name), 'Check B, Check C, Check D')
FROM consultants AS c
WHERE c.id IN ('c0000000-0000-4000-8000-00000000000a', 'c0000000-0000-4000-8000-00000000000b', 'c0000000-0000-4000-8000-00000000000c', 'c0000000-0000-4000-8000-00000000000d');

SELECT pg_temp.expect('leads of A', count(*)::TEXT, '0') FROM leads WHERE id = '1ead0000-0000-4000-8000-00000000000a';
SELECT pg_temp.expect('conversations of A', count(*)::TEXT, '0') FROM conversations WHERE id = 'c0170000-0000-4000-8000-00000000000a';
SELECT pg_temp.expect('messages of A', count(*)::TEXT, '0') FROM messages WHERE conversation_id = 'c0170000-0000-4000-8000-00000000000a';
SELECT pg_temp.expect('archived messages of A', count(*)::TEXT, '0') FROM messages_archive WHERE id = 'a0000000-0000-4000-8000-00000000000a';
SELECT pg_temp.expect('AI responses left', string_agg(a.prompt, ', '), 'check b') FROM ai_responses AS a WHERE a.prompt LIKE 'check %';
SELECT pg_temp.expect('images left', string_agg(i.template_id, ', '), 'check b') FROM generated_images AS i WHERE i.template_id LIKE 'check %';
SELECT pg_temp.expect('flows left', string_agg(f.name || COALESCE(' of ' || c.name, ''), ', ' ORDER BY f.name), 'Check template of A, Flow of B of Check B, Used by B')
FROM flows AS f
LEFT JOIN consultants AS c ON c.id = f.created_by
WHERE f.id IN ('f1000000-0000-4000-8000-00000000000a', 'f1000000-0000-4000-8000-00000000000b', 'f1000000-0000-4000-8000-00000000000c', 'f1000000-0000-4000-8000-00000000000d');
SELECT pg_temp.expect('leads of B', count(*)::TEXT, '1') FROM leads WHERE id = '1ead0000-0000-4000-8000-00000000000b';
SELECT pg_temp.expect('the entry of the purge', count(*)::TEXT, '1')
FROM audit_logs AS a
WHERE a.action = 'data_deleted' AND a.resource_type = 'consultant' AND a.resource_id = 'c0000000-0000-4000-8000-00000000000a';
SELECT pg_temp.expect('the entry of the purged lead', count(*)::TEXT, '1')
FROM audit_logs AS a
WHERE a.action = 'data_deleted' AND a.resource_id = '1ead0000-0000-4000-8000-00000000000a' AND a.details ->> 'consultant_id' = 'c0000000-0000-4000-8000-00000000000a' AND a.consultant_id IS NULL;

-- One who is active again is not purged, whatever happened before.
UPDATE consultants SET is_active = TRUE WHERE id = 'c0000000-0000-4000-8000-00000000000c';
SELECT purge_closed_consultants(p_limit => 2147483647);
SELECT pg_temp.expect('who is left', string_agg(c.name, ', ' ORDER BY c.name), 'Check B, Check C, Check D')
FROM consultants AS c
WHERE c.id IN ('c0000000-0000-4000-8000-00000000000b', 'c0000000-0000-4000-8000-00000000000c', 'c0000000-0000-4000-8000-00000000000d');
SELECT purge_closed_consultants(88, 2147483647);
SELECT pg_temp.expect('who is left after 88 days', string_agg(c.name, ', ' ORDER BY c.name), 'Check B, Check C')
FROM consultants AS c
WHERE c.id IN ('c0000000-0000-4000-8000-00000000000b', 'c0000000-0000-4000-8000-00000000000c', 'c0000000-0000-4000-8000-00000000000d');
SELECT pg_temp.expect('purging none', purge_consultants('{}')::TEXT, '0');

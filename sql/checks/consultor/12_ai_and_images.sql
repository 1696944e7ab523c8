-- check: AI responses and images have their defaults and JSON shapes, and outlive the lead they were made for, without its id.

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
-- Runs p_sql and wants it to fail with p_sqlstate, because of p_constraint where one is named.
CREATE FUNCTION pg_temp.must_fail(p_what TEXT, p_sqlstate TEXT, p_sql TEXT, p_constraint TEXT DEFAULT NULL)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_constraint TEXT;
BEGIN
    BEGIN
        EXECUTE p_sql;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
        IF SQLSTATE <> p_sqlstate OR v_constraint <> p_constraint THEN
            RAISE EXCEPTION 'check failed: % gives % (%), not % %', p_what, SQLSTATE, SQLERRM, p_sqlstate, p_constraint;
        END IF;
        RETURN;
    END;
    RAISE EXCEPTION 'check failed: % is accepted', p_what;
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
INSERT INTO ai_responses (id, lead_id, prompt, response, model)
VALUES ('a0000000-0000-4000-8000-00000000000a', '1ead0000-0000-4000-8000-00000000000a', 'prompt', 'response', 'llama-3.1-70b-versatile');
INSERT INTO ai_responses (id, conversation_id, prompt, response, model)
VALUES ('a0000000-0000-4000-8000-00000000000b', 'c0170000-0000-4000-8000-00000000000a', 'prompt', 'response', 'llama-3.1-70b-versatile');
INSERT INTO generated_images (id, lead_id, template_id, template_data, image_url)
VALUES ('a0000000-0000-4000-8000-00000000000a', '1ead0000-0000-4000-8000-00000000000a', 'check', '{"plano": "A"}', 'https://check.invalid/1.png');
INSERT INTO generated_images (id, consultant_id, template_id, template_data, image_url)
VALUES ('a0000000-0000-4000-8000-00000000000b', 'c0000000-0000-4000-8000-00000000000a', 'check', '{"plano": "A"}', 'https://check.invalid/2.png');

SELECT
    pg_temp.expect('the default of was_cached', a.was_cached::TEXT, 'false'),
    pg_temp.expect('the default of compliance_check_passed', a.compliance_check_passed::TEXT, 'true'),
    pg_temp.expect('the default of compliance_flags', a.compliance_flags::TEXT, '[]')
FROM ai_responses AS a
WHERE a.id = 'a0000000-0000-4000-8000-00000000000a';

SELECT pg_temp.must_fail('compliance flags that are an object', '23514',
    'UPDATE ai_responses SET compliance_flags = ''{}'' WHERE id = ''a0000000-0000-4000-8000-00000000000a''', 'valid_ai_compliance_flags');
SELECT pg_temp.must_fail('template data that are a list', '23514',
    'UPDATE generated_images SET template_data = ''[]'' WHERE id = ''a0000000-0000-4000-8000-00000000000a''', 'valid_image_template_data');
SELECT pg_temp.must_fail('a response without prompt', '23502', 'UPDATE ai_responses SET prompt = NULL WHERE id = ''a0000000-0000-4000-8000-00000000000a''');
SELECT pg_temp.must_fail('a webhook that is a text', '23514',
    'INSERT INTO webhook_events (event_type, payload) VALUES (''check'', ''"text"'')', 'valid_webhook_payload');
INSERT INTO webhook_events (event_type, payload) VALUES ('check', '{}'), ('check', '[]');
SELECT pg_temp.expect('new webhooks', string_agg(DISTINCT format('%s %s', w.processed, w.retry_count), ', '), 'f 0')
FROM webhook_events AS w
WHERE w.event_type = 'check';

DELETE FROM leads WHERE id = '1ead0000-0000-4000-8000-00000000000a';
DELETE FROM consultants WHERE id = 'c0000000-0000-4000-8000-00000000000a';
SELECT pg_temp.expect('the responses of a deleted lead', count(*)::TEXT, '2')
FROM ai_responses WHERE id IN ('a0000000-0000-4000-8000-00000000000a', 'a0000000-0000-4000-8000-00000000000b') AND lead_id IS NULL AND conversation_id IS NULL;
SELECT pg_temp.expect('the images of a deleted lead and consultant', count(*)::TEXT, '2')
FROM generated_images WHERE id IN ('a0000000-0000-4000-8000-00000000000a', 'a0000000-0000-4000-8000-00000000000b') AND lead_id IS NULL AND consultant_id IS NULL;

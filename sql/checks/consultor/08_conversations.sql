-- check: a lead has one active conversation at a time, any number of finished ones, and they go with the lead.

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
SELECT
    pg_temp.expect('the default of is_completed', c.is_completed::TEXT, 'false'),
    pg_temp.expect('the default of state', c.state::TEXT, '{}')
FROM conversations AS c
WHERE c.id = 'c0170000-0000-4000-8000-00000000000a';

SELECT pg_temp.must_fail('a second active conversation', '23505',
    'INSERT INTO conversations (lead_id, flow_id) VALUES (''1ead0000-0000-4000-8000-00000000000a'', ''f1000000-0000-4000-8000-00000000000a'')', 'idx_conversations_one_active');
SELECT pg_temp.must_fail('a conversation neither active nor finished', '23502',
    'INSERT INTO conversations (lead_id, flow_id, is_completed) VALUES (''1ead0000-0000-4000-8000-00000000000a'', ''f1000000-0000-4000-8000-00000000000a'', NULL)');
INSERT INTO conversations (lead_id, flow_id, is_completed)
VALUES ('1ead0000-0000-4000-8000-00000000000a', 'f1000000-0000-4000-8000-00000000000a', TRUE), ('1ead0000-0000-4000-8000-00000000000a', 'f1000000-0000-4000-8000-00000000000a', TRUE);

UPDATE conversations SET is_completed = TRUE, completed_at = now() WHERE id = 'c0170000-0000-4000-8000-00000000000a';
INSERT INTO conversations (id, lead_id, flow_id) VALUES ('c0170000-0000-4000-8000-00000000000c', '1ead0000-0000-4000-8000-00000000000a', 'f1000000-0000-4000-8000-00000000000b');
SELECT pg_temp.must_fail('taking up a finished conversation beside an active one', '23505',
    'UPDATE conversations SET is_completed = FALSE WHERE id = ''c0170000-0000-4000-8000-00000000000a''', 'idx_conversations_one_active');

SELECT pg_temp.must_fail('a conversation without flow', '23502',
    'INSERT INTO conversations (lead_id, is_completed) VALUES (''1ead0000-0000-4000-8000-00000000000a'', TRUE)');
SELECT pg_temp.must_fail('a conversation of an unknown flow', '23503',
    'UPDATE conversations SET flow_id = ''c0000000-0000-4000-8000-00000000000f'' WHERE id = ''c0170000-0000-4000-8000-00000000000c''', 'conversations_flow_id_fkey');
SELECT pg_temp.must_fail('a state that is a list', '23514',
    'UPDATE conversations SET state = ''[]'' WHERE id = ''c0170000-0000-4000-8000-00000000000c''', 'valid_conversation_state');

DELETE FROM leads WHERE id = '1ead0000-0000-4000-8000-00000000000a';
SELECT pg_temp.expect('the number of conversations of a deleted lead', count(*)::TEXT, '0') FROM conversations WHERE lead_id = '1ead0000-0000-4000-8000-00000000000a';
SELECT pg_temp.expect('the number of conversations of the other one', count(*)::TEXT, '1') FROM conversations WHERE lead_id = '1ead0000-0000-4000-8000-00000000000b';

-- check: a consultant has a WhatsApp number once, leads have known states and JSON objects, and go with their consultant.

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
    pg_temp.expect('the default of status', l.status, 'novo'),
    pg_temp.expect('the default of respostas', l.respostas::TEXT, '{}'),
    pg_temp.expect('the default of metadata', l.metadata::TEXT, '{}'),
    pg_temp.expect('the default of last_interaction_at', (l.last_interaction_at = now())::TEXT, 'true')
FROM leads AS l
WHERE l.id = '1ead0000-0000-4000-8000-00000000000a';

SELECT pg_temp.must_fail('the same number for the same consultant', '23505',
    'INSERT INTO leads (consultant_id, whatsapp_number) VALUES (''c0000000-0000-4000-8000-00000000000a'', ''+550000000001'')',
    'leads_consultant_id_whatsapp_number_key');
SELECT pg_temp.must_fail('a lead of nobody', '23502',
    'INSERT INTO leads (consultant_id, whatsapp_number) VALUES (NULL, ''+550000000002'')');
SELECT pg_temp.must_fail('a lead of an unknown consultant', '23503',
    'INSERT INTO leads (consultant_id, whatsapp_number) VALUES (''c0000000-0000-4000-8000-00000000000f'', ''+550000000002'')');
SELECT pg_temp.must_fail('an unknown status', '23514',
    'UPDATE leads SET status = ''ganho'' WHERE id = ''1ead0000-0000-4000-8000-00000000000a''', 'leads_status_check');
SELECT pg_temp.must_fail('answers that are a list', '23514',
    'UPDATE leads SET respostas = ''[]'' WHERE id = ''1ead0000-0000-4000-8000-00000000000a''', 'valid_lead_respostas');
SELECT pg_temp.must_fail('metadata that are a text', '23514',
    'UPDATE leads SET metadata = ''"instagram"'' WHERE id = ''1ead0000-0000-4000-8000-00000000000a''', 'valid_lead_metadata');

UPDATE leads AS l
SET status = s.status, respostas = '{"perfil": "familia", "idade": "31_45", "copart": "nao"}'
FROM (VALUES ('em_contato'), ('agendado'), ('fechado'), ('perdido')) AS s (status)
WHERE l.id = '1ead0000-0000-4000-8000-00000000000a';

DELETE FROM consultants WHERE id = 'c0000000-0000-4000-8000-00000000000a';
SELECT pg_temp.expect('the number of leads of a deleted consultant', count(*)::TEXT, '0') FROM leads WHERE id = '1ead0000-0000-4000-8000-00000000000a';
SELECT pg_temp.expect('the number of leads of the other one', count(*)::TEXT, '1') FROM leads WHERE id = '1ead0000-0000-4000-8000-00000000000b';

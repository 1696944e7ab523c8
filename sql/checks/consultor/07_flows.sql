-- check: flows are JSON objects, a template is there once a version, a flow in use cannot go, and the default flow is complete.

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
    pg_temp.expect('the default of version', f.version::TEXT, '1'),
    pg_temp.expect('the default of is_active', f.is_active::TEXT, 'true'),
    pg_temp.expect('the default of is_template', f.is_template::TEXT, 'false')
FROM flows AS f
WHERE f.id = 'f1000000-0000-4000-8000-00000000000a';

SELECT pg_temp.must_fail('a definition that is a list', '23514',
    'UPDATE flows SET definition = ''[]'' WHERE id = ''f1000000-0000-4000-8000-00000000000a''', 'valid_flow_definition');
SELECT pg_temp.must_fail('no definition', '23502', 'UPDATE flows SET definition = NULL WHERE id = ''f1000000-0000-4000-8000-00000000000a''');
SELECT pg_temp.must_fail('an unknown vertical', '23514',
    'UPDATE flows SET vertical = ''banking'' WHERE id = ''f1000000-0000-4000-8000-00000000000a''', 'flows_vertical_check');
SELECT pg_temp.must_fail('deleting a flow that is used', CASE WHEN current_setting('server_version_num')::INT >= 180000 THEN '23001' ELSE '23503' END,
    'DELETE FROM flows WHERE id = ''f1000000-0000-4000-8000-00000000000a''', 'conversations_flow_id_fkey');

INSERT INTO flows (name, vertical, definition, is_template) VALUES ('Check', 'insurance', '{}', TRUE);
SELECT pg_temp.must_fail('the same template again', '23505',
    'INSERT INTO flows (name, vertical, definition, is_template) VALUES (''Check'', ''insurance'', ''{}'', TRUE)',
    'idx_flows_template_unique');
INSERT INTO flows (name, vertical, definition, is_template, version) VALUES ('Check', 'insurance', '{}', TRUE, 2);
INSERT INTO flows (name, vertical, definition) VALUES ('Check', 'insurance', '{}'), ('Check', 'insurance', '{}');

-- The author goes, the flow stays.
DELETE FROM leads WHERE id = '1ead0000-0000-4000-8000-00000000000a';
DELETE FROM consultants WHERE id = 'c0000000-0000-4000-8000-00000000000a';
SELECT pg_temp.expect('the author of a flow whose author is gone', f.created_by::TEXT, NULL) FROM flows AS f WHERE f.id = 'f1000000-0000-4000-8000-00000000000a';

-- The default flow: steps, and every next step is there.
DO $$
DECLARE
    v_definition JSONB;
    v_dangling TEXT;
BEGIN
    SELECT f.definition INTO v_definition
    FROM flows AS f
    WHERE f.name = 'Triagem Básica - Planos de Saúde'
      AND f.vertical = 'health_plans'
      AND f.version = 1
      AND f.is_template
      AND f.created_by IS NULL;
    IF jsonb_array_length(v_definition -> 'etapas') > 1 IS NOT TRUE THEN
        RAISE EXCEPTION 'check failed: the default flow is missing or has no steps';
    END IF;

    SELECT string_agg(step ->> 'proxima', ', ') INTO v_dangling
    FROM jsonb_array_elements(v_definition -> 'etapas') AS step
    WHERE step ->> 'proxima' IS NOT NULL
      AND NOT v_definition @> jsonb_build_object('etapas', jsonb_build_array(jsonb_build_object('id', step -> 'proxima')));
    IF v_dangling IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: the default flow goes on to %, which it does not have', v_dangling;
    END IF;
END;
$$;

-- check: every function works whatever search_path, TimeZone, DateStyle and IntervalStyle the session has, also with tables of the same names in the way.

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
CREATE SCHEMA check_decoy;
CREATE TABLE check_decoy.consultants (id UUID, slug TEXT, name TEXT);
CREATE TABLE check_decoy.leads (id UUID, last_interaction_at TIMESTAMPTZ);
CREATE TABLE check_decoy.conversations (id UUID, lead_id UUID);
CREATE TABLE check_decoy.audit_logs (id UUID, action TEXT);
CREATE TEMPORARY TABLE webhook_events (id UUID, processed BOOLEAN, received_at TIMESTAMPTZ) ON COMMIT DROP;
CREATE TEMPORARY TABLE audit_logs (id UUID, action TEXT) ON COMMIT DROP;

-- A function of the caller's that fits better than the one that is meant.
CREATE FUNCTION check_decoy.lower(TEXT) RETURNS TEXT LANGUAGE sql AS $$ SELECT 'decoy' $$;
CREATE FUNCTION check_decoy.now() RETURNS TIMESTAMPTZ LANGUAGE sql AS $$ SELECT 'infinity'::TIMESTAMPTZ $$;

DO $$
DECLARE
    v_schema TEXT;
    v_zone TEXT;
    v_number INT := 0;
    v_before BIGINT;
    v_after BIGINT;
    v_got TEXT;
BEGIN
    SELECT c.relnamespace::REGNAMESPACE::TEXT INTO STRICT v_schema
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = 'messages_archive'::REGCLASS;

    FOREACH v_zone IN ARRAY ARRAY['UTC', 'America/Sao_Paulo', 'Pacific/Auckland'] LOOP
        v_number := v_number + 1;
        PERFORM set_config('search_path', 'check_decoy, pg_catalog', TRUE);
        PERFORM set_config('TimeZone', v_zone, TRUE);
        PERFORM set_config('DateStyle', 'SQL, DMY', TRUE);
        PERFORM set_config('IntervalStyle', 'sql_standard', TRUE);

        EXECUTE format('SELECT %s.generate_slug(''Check Zqx'')', v_schema) INTO v_got;
        PERFORM pg_temp.expect('the slug in ' || v_zone, v_got, 'check-zqx');

        EXECUTE format('SELECT count(*) FROM %s.audit_logs WHERE action = ''check_settings''', v_schema) INTO v_before;
        EXECUTE format('SELECT %s.log_audit_event(NULL, ''check_settings'')', v_schema);
        EXECUTE format('SELECT count(*) FROM %s.audit_logs WHERE action = ''check_settings''', v_schema) INTO v_after;
        PERFORM pg_temp.expect('the audit entries more in ' || v_zone, (v_after - v_before)::TEXT, '1');

        -- Tables under constraint triggers, matviews and cascades: all found without a path.
        EXECUTE format('INSERT INTO %s.messages (conversation_id, direction, content, created_at) VALUES (%L, ''inbound'', ''Oi'', %L)',
                       v_schema, 'c0170000-0000-4000-8000-00000000000a', pg_catalog.now() + v_number * INTERVAL '1 hour');
        EXECUTE format('SELECT (last_interaction_at - %L = %s * INTERVAL ''1 hour'')::TEXT FROM %s.leads WHERE id = %L',
                       pg_catalog.now(), v_number, v_schema, '1ead0000-0000-4000-8000-00000000000a') INTO v_got;
        PERFORM pg_temp.expect('whether the lead was moved in ' || v_zone, v_got, 'true');

        EXECUTE format('SELECT %s.refresh_analytics()', v_schema);
        EXECUTE format('SELECT %1$s.cleanup_webhook_events(36500) + %1$s.anonymize_audit_ips(36500) + %1$s.cleanup_audit_logs(''100 years'')
                        + %1$s.archive_messages(''100 years'') + %1$s.purge_closed_consultants(36500)', v_schema);

        EXECUTE format('INSERT INTO %1$s.consultants (id, email, password_hash, name, whatsapp_number, vertical)
                        VALUES (%2$L, ''c@check.invalid'', ''x'', ''Check Zqx'', ''x'', ''insurance'')', v_schema, 'c0000000-0000-4000-8000-00000000000c');
        EXECUTE format('SELECT slug FROM %s.consultants WHERE id = %L', v_schema, 'c0000000-0000-4000-8000-00000000000c') INTO v_got;
        PERFORM pg_temp.expect('the slug of an insert in ' || v_zone, v_got, 'check-zqx');
        EXECUTE format('DELETE FROM %s.consultants WHERE id = %L', v_schema, 'c0000000-0000-4000-8000-00000000000c');
        EXECUTE format('SELECT count(*) FROM %s.audit_logs WHERE resource_id = %L', v_schema, 'c0000000-0000-4000-8000-00000000000c') INTO v_got;
        PERFORM pg_temp.expect('the entries of deletions in ' || v_zone, v_got, v_number::TEXT);
    END LOOP;
END;
$$;

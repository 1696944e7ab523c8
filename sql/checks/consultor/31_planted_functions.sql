-- check: functions and operators that somebody plants beside the tables, as everybody may in the schema public before 15, are never called.

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
-- Each fits the arguments better than what is meant, so that an inexact call would find it.
DO $$
DECLARE
    v_schema TEXT;
    v_planted TEXT;
BEGIN
    SELECT c.relnamespace::REGNAMESPACE::TEXT INTO STRICT v_schema
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = 'leads'::REGCLASS;


    FOREACH v_planted IN ARRAY ARRAY[
        'generate_slug(VARCHAR) RETURNS TEXT',
        'log_audit_event(UUID, TEXT, TEXT, UUID, JSONB, INET, TEXT) RETURNS VOID',
        'retention_cutoff(INTERVAL, TEXT, INTEGER) RETURNS TIMESTAMPTZ',
        'make_interval(days INTEGER) RETURNS INTERVAL',
        'lower(VARCHAR) RETURNS TEXT',
        'to_jsonb(consultants) RETURNS JSONB',
        'to_jsonb(leads) RETURNS JSONB',
        'to_jsonb(audit_logs) RETURNS JSONB',
        'jsonb_build_object(TEXT, UUID) RETURNS JSONB',
        'check_oid_regclass(OID, REGCLASS) RETURNS BOOLEAN',
        'check_audit_logs(audit_logs, audit_logs) RETURNS BOOLEAN',
        'check_arrow(JSONB, VARCHAR) RETURNS TEXT',
        'check_varchar_text(VARCHAR, TEXT) RETURNS BOOLEAN',
        'check_date(TIMESTAMPTZ, DATE) RETURNS BOOLEAN'
    ] LOOP
        EXECUTE format(
            'CREATE FUNCTION %s.%s LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION ''check failed: the planted %s was called''; END $f$',
            v_schema, v_planted, v_planted);
    END LOOP;

    EXECUTE format('CREATE OPERATOR %1$s.= (LEFTARG = OID, RIGHTARG = REGCLASS, FUNCTION = %1$s.check_oid_regclass)', v_schema);
    EXECUTE format('CREATE OPERATOR %1$s.= (LEFTARG = audit_logs, RIGHTARG = audit_logs, FUNCTION = %1$s.check_audit_logs)', v_schema);
    EXECUTE format('CREATE OPERATOR %1$s.->> (LEFTARG = JSONB, RIGHTARG = VARCHAR, FUNCTION = %1$s.check_arrow)', v_schema);
    EXECUTE format('CREATE OPERATOR %1$s.= (LEFTARG = VARCHAR, RIGHTARG = TEXT, FUNCTION = %1$s.check_varchar_text)', v_schema);
    EXECUTE format('CREATE OPERATOR %1$s.< (LEFTARG = TIMESTAMPTZ, RIGHTARG = DATE, FUNCTION = %1$s.check_date)', v_schema);
END;
$$;

-- Everything that is called with another's rights, or fires when another writes.
SELECT set_config('request.jwt.claims', '{"sub": "c0000000-0000-4000-8000-00000000000a"}', TRUE);
SELECT generate_slug('Check Zqx'::TEXT);
INSERT INTO consultants (id, email, password_hash, name, whatsapp_number, vertical)
VALUES ('c0000000-0000-4000-8000-00000000000c', 'c@check.invalid', 'x', 'Check Zqx', '+550000000000', 'insurance');
UPDATE consultants SET is_active = FALSE WHERE id = 'c0000000-0000-4000-8000-00000000000c';
UPDATE leads SET status = 'agendado' WHERE id = '1ead0000-0000-4000-8000-00000000000a';
INSERT INTO messages (conversation_id, direction, content, created_at) VALUES ('c0170000-0000-4000-8000-00000000000a', 'inbound', 'Oi', now() + INTERVAL '1 hour');
SELECT refresh_analytics();
SELECT count(*) FROM own_consultant_metrics();
SELECT count(*) FROM own_daily_lead_stats();
INSERT INTO audit_logs (consultant_id, action, ip_address, created_at) VALUES ('c0000000-0000-4000-8000-00000000000a', 'check', '::1', '1970-01-01 00:00:00+00');
INSERT INTO webhook_events (event_type, payload, processed, received_at) VALUES ('check', '{}', TRUE, '1970-01-01 00:00:00+00');
UPDATE consultants SET is_active = FALSE, deactivated_at = '1970-01-01 00:00:00+00' WHERE id = 'c0000000-0000-4000-8000-00000000000b';
SELECT cleanup_webhook_events(36500 / 2, 1), anonymize_audit_ips(36500 / 2, 1), archive_messages('50 years'::INTERVAL, 1),
       purge_closed_consultants(36500 / 2, 1), cleanup_audit_logs('50 years'::INTERVAL, 1);
DELETE FROM leads WHERE id = '1ead0000-0000-4000-8000-00000000000a';
DELETE FROM consultants WHERE id = 'c0000000-0000-4000-8000-00000000000a';

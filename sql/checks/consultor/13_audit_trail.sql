-- check: the audit trail is added to by log_audit_event and never changed, by the owner neither, except that addresses are removed, consultants go and rows end after five years.

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
-- Runs a statement and wants it to return, or change, so many rows.
CREATE FUNCTION pg_temp.rows(p_what TEXT, p_wanted BIGINT, p_sql TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_rows BIGINT;
BEGIN
    BEGIN
        EXECUTE p_sql;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
    EXCEPTION WHEN OTHERS THEN
        RAISE EXCEPTION 'check failed: % gives % (%)', p_what, SQLSTATE, SQLERRM;
    END;
    IF v_rows <> p_wanted THEN
        RAISE EXCEPTION 'check failed: % touches % rows, not %', p_what, v_rows, p_wanted;
    END IF;
END;
$$;
-- Goes on as this role with this JWT subject, for the rest of the transaction; 'owner' is who runs the check. An owner
-- who is no superuser may have to become a member of the role first, which ends with the transaction.
SELECT set_config('check.owner', current_user, TRUE);

CREATE FUNCTION pg_temp.act_as(p_role TEXT, p_subject TEXT DEFAULT '')
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_owner TEXT := current_setting('check.owner');
BEGIN
    PERFORM set_config('role', v_owner, TRUE);
    PERFORM set_config('request.jwt.claim.sub', '', TRUE);
    PERFORM set_config('request.jwt.claims', CASE WHEN p_subject = '' THEN '' ELSE jsonb_build_object('sub', p_subject)::TEXT END, TRUE);
    IF p_role <> 'owner' THEN
        BEGIN
            PERFORM set_config('role', p_role, TRUE);
        EXCEPTION WHEN insufficient_privilege THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', p_role, v_owner);
                PERFORM set_config('role', p_role, TRUE);
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'check failed: "%" may not act as %: GRANT % TO "%"', v_owner, p_role, p_role, v_owner
                    USING ERRCODE = 'insufficient_privilege';
            END;
        END;
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
SELECT pg_temp.act_as('service_role');
SELECT log_audit_event('c0000000-0000-4000-8000-00000000000a', 'lead_exported', 'lead', '1ead0000-0000-4000-8000-00000000000a', '{"format": "csv"}');
SELECT log_audit_event('c0000000-0000-4000-8000-00000000000a', 'login', p_details => NULL, p_ip_address => '203.0.113.7', p_user_agent => 'check');
SELECT log_audit_event(NULL, 'check_nobody');
SELECT pg_temp.act_as('owner');

SELECT pg_temp.expect('the entry of an export', format('%s %s %s %s', a.resource_type, a.resource_id, a.details, a.created_at = now()),
                      'lead 1ead0000-0000-4000-8000-00000000000a {"format": "csv"} t')
FROM audit_logs AS a
WHERE a.consultant_id = 'c0000000-0000-4000-8000-00000000000a' AND a.action = 'lead_exported';
SELECT pg_temp.expect('the entry of a login', format('%s %s %s', a.details, host(a.ip_address), a.user_agent), '{} 203.0.113.7 check')
FROM audit_logs AS a
WHERE a.consultant_id = 'c0000000-0000-4000-8000-00000000000a' AND a.action = 'login';
SELECT pg_temp.rows('the entry of nobody', 1, 'SELECT FROM audit_logs WHERE action = ''check_nobody'' AND consultant_id IS NULL');
SELECT pg_temp.must_fail('details that are a list', '23514', 'SELECT log_audit_event(NULL, ''check'', p_details => ''[]'')', 'valid_audit_details');
SELECT pg_temp.must_fail('an entry without action', '23502', 'SELECT log_audit_event(NULL, NULL)');

SELECT pg_temp.must_fail('changing ' || v.change, '42501', format('UPDATE audit_logs SET %s WHERE consultant_id = ''c0000000-0000-4000-8000-00000000000a''', v.change))
FROM (VALUES
    ('action = ''logout'''),
    ('details = ''{"x": 1}'''),
    ('created_at = created_at - INTERVAL ''6 years'''),
    ('resource_id = NULL'),
    ('user_agent = ''other'''),
    ('id = gen_random_uuid()'),
    ('ip_address = ''198.51.100.1'''),
    ('consultant_id = ''c0000000-0000-4000-8000-00000000000b'''),
    ('consultant_id = NULL'),
    ('ip_address = NULL, action = ''logout''')
) AS v (change);
SELECT pg_temp.must_fail('deleting entries', '42501', 'DELETE FROM audit_logs WHERE consultant_id = ''c0000000-0000-4000-8000-00000000000a''');
SELECT pg_temp.must_fail('emptying the trail', '42501', 'TRUNCATE audit_logs');

INSERT INTO audit_logs (action, created_at)
VALUES
    ('check_old', now() - INTERVAL '5 years 1 day'),
    ('check_not_so_old', now() - INTERVAL '4 years 364 days');
SELECT pg_temp.rows('deleting what is older than five years', 1, 'DELETE FROM audit_logs WHERE action = ''check_old''');
SELECT pg_temp.must_fail('deleting what is not yet five years old', '42501', 'DELETE FROM audit_logs WHERE action = ''check_not_so_old''');

SELECT pg_temp.rows('removing an address', 1, 'UPDATE audit_logs SET ip_address = NULL WHERE consultant_id = ''c0000000-0000-4000-8000-00000000000a'' AND action = ''login''');

-- The consultant goes, the entries stay.
SELECT pg_temp.rows('deleting a consultant with entries', 1, 'DELETE FROM consultants WHERE id = ''c0000000-0000-4000-8000-00000000000a''');
SELECT pg_temp.rows('the entries of a deleted consultant', 1,
    'SELECT FROM audit_logs WHERE resource_id = ''1ead0000-0000-4000-8000-00000000000a'' AND action = ''lead_exported'' AND consultant_id IS NULL');

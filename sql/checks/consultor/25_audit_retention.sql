-- check: addresses of audit entries are removed after 90 days and nothing else of them; entries go after five years, never before.

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
INSERT INTO audit_logs (action, ip_address, user_agent, created_at)
VALUES
    ('check 1 oldest', '203.0.113.7', 'check', '1970-01-01 00:00:00+00'),
    ('check 2 over 5 years', '203.0.113.7', 'check', now() - INTERVAL '5 years 2 days'),
    ('check 3 4 years', '2001:db8::7', 'check', now() - INTERVAL '4 years'),
    ('check 4 91 days', '203.0.113.0/24', 'check', now() - INTERVAL '91 days'),
    ('check 5 89 days', '203.0.113.7', 'check', now() - INTERVAL '89 days'),
    ('check 6 new', '203.0.113.7', 'check', now());

-- With these a batch that can be found anew for each row, is: it must keep its size under every plan.
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_hashagg = off;
SET LOCAL enable_sort = off;
SET LOCAL enable_material = off;
SELECT pg_temp.expect('the size of a batch of one', anonymize_audit_ips(90, 1)::TEXT, '1');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_hashagg;
RESET enable_sort;
RESET enable_material;
SELECT pg_temp.expect('what a batch of one anonymizes', string_agg(a.action, ', '), 'check 1 oldest')
FROM audit_logs AS a
WHERE a.action LIKE 'check %' AND a.ip_address IS NULL;

SELECT anonymize_audit_ips(p_limit => 2147483647);
SELECT pg_temp.expect('what keeps its address', string_agg(a.action, ', ' ORDER BY a.action), 'check 5 89 days, check 6 new')
FROM audit_logs AS a
WHERE a.action LIKE 'check %' AND a.ip_address IS NOT NULL;
SELECT pg_temp.expect('the rest of the entries', count(*)::TEXT, '6') FROM audit_logs AS a WHERE a.action LIKE 'check %' AND a.user_agent = 'check';
SELECT pg_temp.expect('what the next batch finds', anonymize_audit_ips(90, 2147483647)::TEXT, '0');

SELECT pg_temp.must_fail('keeping the trail for ' || v.keep, '22023', format('SELECT cleanup_audit_logs(%L)', v.keep))
FROM (VALUES ('4 years 364 days'), ('0'), ('-6 years')) AS v (keep);
-- With these a batch that can be found anew for each row, is: it must keep its size under every plan.
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_hashagg = off;
SET LOCAL enable_sort = off;
SET LOCAL enable_material = off;
SELECT pg_temp.expect('the size of a batch of one entry', cleanup_audit_logs('5 years', 1)::TEXT, '1');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_hashagg;
RESET enable_sort;
RESET enable_material;
SELECT pg_temp.expect('the entries left', count(*)::TEXT, '5') FROM audit_logs AS a WHERE a.action LIKE 'check %';
SELECT cleanup_audit_logs(p_limit => 2147483647);
SELECT pg_temp.expect('the entries younger than five years', string_agg(a.action, ', ' ORDER BY a.action),
    'check 3 4 years, check 4 91 days, check 5 89 days, check 6 new')
FROM audit_logs AS a
WHERE a.action LIKE 'check %';

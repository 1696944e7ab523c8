-- check: webhooks and the audit trail are for the service only, anon reads nothing at all, and no table has a policy that is not known.

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
INSERT INTO webhook_events (event_type, payload) VALUES ('check', '{}');
SELECT log_audit_event('c0000000-0000-4000-8000-00000000000a', 'login');

SELECT pg_temp.act_as('authenticated', 'c0000000-0000-4000-8000-00000000000a');
SELECT pg_temp.must_fail('reading webhooks as A', '42501', 'SELECT FROM webhook_events');
SELECT pg_temp.must_fail('reading the audit trail as A', '42501', 'SELECT FROM audit_logs');
SELECT pg_temp.must_fail('writing into the audit trail as A', '42501', 'INSERT INTO audit_logs (action) VALUES (''login'')');
SELECT pg_temp.must_fail('writing into the audit trail by function as A', '42501', 'SELECT log_audit_event(NULL, ''login'')');
SELECT pg_temp.must_fail('purging consultants as A', '42501', 'SELECT purge_consultants(''{c0000000-0000-4000-8000-00000000000b}'')');
SELECT pg_temp.must_fail('the metrics of everybody as A', '42501', 'SELECT FROM consultant_metrics');
SELECT pg_temp.must_fail('the daily figures of everybody as A', '42501', 'SELECT FROM daily_lead_stats');

SELECT pg_temp.act_as('anon', 'c0000000-0000-4000-8000-00000000000a');
SELECT pg_temp.must_fail(format('reading %s as anon', t.name), '42501', format('SELECT id FROM %I', t.name))
FROM (VALUES ('consultants'), ('leads'), ('flows'), ('conversations'), ('messages'), ('messages_archive'), ('ai_responses'),
             ('generated_images'), ('webhook_events'), ('audit_logs')) AS t (name);

-- The trail has no policy for consultants either.
SELECT pg_temp.act_as('owner');
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_events, audit_logs TO authenticated, anon;
SELECT pg_temp.act_as(r.role, 'c0000000-0000-4000-8000-00000000000a'),
       pg_temp.rows('reading webhooks by policy as ' || r.role, 0, 'SELECT FROM webhook_events'),
       pg_temp.rows('reading the audit trail by policy as ' || r.role, 0, 'SELECT FROM audit_logs'),
       pg_temp.must_fail('writing a webhook by policy as ' || r.role, '42501', 'INSERT INTO webhook_events (event_type, payload) VALUES (''check'', ''{}'')'),
       pg_temp.must_fail('writing the audit trail by policy as ' || r.role, '42501', 'INSERT INTO audit_logs (action) VALUES (''login'')')
FROM (VALUES ('authenticated'), ('anon')) AS r (role);
SELECT pg_temp.act_as('owner');

-- Permissive policies add up: one too many opens a table.
DO $$
DECLARE
    v_found TEXT;
BEGIN
    WITH known (tablename, policyname, cmd, role) AS (
        SELECT t.name, 'Service role has full access', 'ALL', 'service_role'
        FROM (VALUES ('consultants'), ('leads'), ('flows'), ('conversations'), ('messages'), ('messages_archive'),
                     ('ai_responses'), ('generated_images'), ('webhook_events'), ('audit_logs')) AS t (name)
        UNION ALL
        VALUES
            ('leads', 'System can insert leads', 'INSERT', 'service_role'),
            ('consultants', 'Consultants can view own data', 'SELECT', 'authenticated'),
            ('consultants', 'Consultants can update own data', 'UPDATE', 'authenticated'),
            ('leads', 'Consultants can view own leads', 'SELECT', 'authenticated'),
            ('leads', 'Consultants can update own leads', 'UPDATE', 'authenticated'),
            ('flows', 'Consultants can view templates and own flows', 'SELECT', 'authenticated'),
            ('flows', 'Consultants can create own flows', 'INSERT', 'authenticated'),
            ('flows', 'Consultants can update own flows', 'UPDATE', 'authenticated'),
            ('conversations', 'Consultants can view conversations for own leads', 'SELECT', 'authenticated'),
            ('messages', 'Consultants can view messages for own conversations', 'SELECT', 'authenticated'),
            ('messages_archive', 'Consultants can view archived messages for own conversations', 'SELECT', 'authenticated'),
            ('ai_responses', 'Consultants can view AI responses for own leads', 'SELECT', 'authenticated'),
            ('generated_images', 'Consultants can view own generated images', 'SELECT', 'authenticated')
    ), present (tablename, policyname, cmd, role) AS (
        SELECT p.tablename::TEXT, p.policyname::TEXT, p.cmd, array_to_string(p.roles, ',')
        FROM pg_catalog.pg_policies AS p
        JOIN pg_catalog.pg_namespace AS n ON n.nspname = p.schemaname
        JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid
        WHERE c.oid = 'leads'::REGCLASS
          AND p.tablename IN (SELECT k.tablename FROM known AS k)
    )
    SELECT string_agg(format('%s on %s', d.policyname, d.tablename), ', ') INTO v_found
    FROM (
        (TABLE known EXCEPT TABLE present)
        UNION ALL
        (TABLE present EXCEPT TABLE known)
    ) AS d;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: policies missing, unknown or for other roles: %', v_found;
    END IF;

    -- What a consultant may write is said by WITH CHECK, not left to USING.
    SELECT string_agg(p.policyname, ', ') INTO v_found
    FROM pg_catalog.pg_policies AS p
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = p.schemaname
    JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid
    WHERE c.oid = 'leads'::REGCLASS
      AND p.tablename IN ('consultants', 'leads', 'flows')
      AND p.cmd IN ('INSERT', 'UPDATE', 'ALL')
      AND p.with_check IS NULL;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: policies without WITH CHECK: %', v_found;
    END IF;
END;
$$;

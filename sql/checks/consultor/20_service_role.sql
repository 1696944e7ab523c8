-- check: the service reads and writes everything, except that the audit trail only grows; by its policies, where the role lacks BYPASSRLS.

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
SELECT pg_temp.act_as('service_role');
SELECT pg_temp.rows('consultants of both', 2, 'SELECT password_hash FROM consultants WHERE id IN (''c0000000-0000-4000-8000-00000000000a'', ''c0000000-0000-4000-8000-00000000000b'')');
SELECT pg_temp.rows('leads of both', 2, 'UPDATE leads SET name = ''X'' WHERE id IN (''1ead0000-0000-4000-8000-00000000000a'', ''1ead0000-0000-4000-8000-00000000000b'')');
SELECT pg_temp.rows('the tier', 1, 'UPDATE consultants SET subscription_tier = ''pro'' WHERE id = ''c0000000-0000-4000-8000-00000000000a''');
SELECT pg_temp.rows('a conversation', 1, 'UPDATE conversations SET is_completed = TRUE WHERE id = ''c0170000-0000-4000-8000-00000000000a''');
SELECT pg_temp.rows('a message', 1, 'INSERT INTO messages (conversation_id, direction, content) VALUES (''c0170000-0000-4000-8000-00000000000a'', ''inbound'', ''Oi'')');
SELECT pg_temp.rows('a webhook', 1, 'INSERT INTO webhook_events (event_type, payload) VALUES (''check'', ''{}'')');
SELECT pg_temp.rows('webhooks', 1, 'UPDATE webhook_events SET processed = TRUE WHERE event_type = ''check''');
SELECT pg_temp.rows('an AI response', 1, 'INSERT INTO ai_responses (lead_id, prompt, response, model) VALUES (''1ead0000-0000-4000-8000-00000000000a'', ''p'', ''r'', ''m'')');
SELECT pg_temp.rows('an image', 1, 'INSERT INTO generated_images (template_id, template_data, image_url) VALUES (''check'', ''{}'', ''u'')');
SELECT pg_temp.rows('a template', 1, 'INSERT INTO flows (name, vertical, definition, is_template) VALUES (''Check'', ''insurance'', ''{}'', TRUE)');
SELECT pg_temp.rows('an audit entry', 1, 'INSERT INTO audit_logs (consultant_id, action) VALUES (''c0000000-0000-4000-8000-00000000000a'', ''check'')');
SELECT pg_temp.rows('audit entries', 1, 'SELECT FROM audit_logs WHERE action = ''check''');
SELECT pg_temp.must_fail('changing the audit trail as the service', '42501', 'UPDATE audit_logs SET ip_address = NULL');
SELECT pg_temp.must_fail('deleting from the audit trail as the service', '42501', 'DELETE FROM audit_logs');
SELECT pg_temp.must_fail('emptying a table as the service', '42501', 'TRUNCATE webhook_events');
SELECT pg_temp.must_fail('purging whomever the service wants', '42501', 'SELECT purge_consultants(''{c0000000-0000-4000-8000-00000000000a}'')');
SELECT refresh_analytics();
SELECT pg_temp.rows('the metrics of both', 2, 'SELECT FROM consultant_metrics WHERE consultant_id IN (''c0000000-0000-4000-8000-00000000000a'', ''c0000000-0000-4000-8000-00000000000b'')');
SELECT cleanup_webhook_events(36500), anonymize_audit_ips(36500), cleanup_audit_logs('100 years'), archive_messages('100 years'),
       purge_closed_consultants(36500);
SELECT pg_temp.act_as('owner');

-- The role belongs to the cluster and may have been made without BYPASSRLS: then these let it through.
DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(t.name, ', ') INTO v_found
    FROM (VALUES ('consultants'), ('leads'), ('flows'), ('conversations'), ('messages'), ('messages_archive'),
                 ('ai_responses'), ('generated_images'), ('webhook_events'), ('audit_logs')) AS t (name)
    WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_policy AS p
        WHERE p.polrelid = t.name::REGCLASS
          AND p.polpermissive
          AND p.polcmd = '*'
          AND (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = 'service_role') = ANY (p.polroles)
          AND pg_get_expr(p.polqual, p.polrelid) = 'true'
          AND pg_get_expr(p.polwithcheck, p.polrelid) = 'true'
    );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: a service_role without BYPASSRLS cannot work on %', v_found;
    END IF;
END;
$$;

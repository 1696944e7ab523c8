-- check: a consultant sees and changes own leads only, cannot give them away or make new ones; only the service makes leads.

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
SELECT pg_temp.act_as('authenticated', 'c0000000-0000-4000-8000-00000000000a');
SELECT pg_temp.rows('reading all leads as A', 1, 'SELECT * FROM leads');
SELECT pg_temp.rows('reading a lead of B as A', 0, 'SELECT * FROM leads WHERE id = ''1ead0000-0000-4000-8000-00000000000b''');
SELECT pg_temp.rows('changing the own lead', 1,
    'UPDATE leads SET status = ''agendado'', name = ''X'', profile_name = ''X'', respostas = ''{"perfil": "casal"}'', metadata = ''{}'',
            whatsapp_number = ''+550000000007'', last_interaction_at = now()');
SELECT pg_temp.rows('changing a lead of B as A', 0, 'UPDATE leads SET status = ''perdido'' WHERE id = ''1ead0000-0000-4000-8000-00000000000b''');
SELECT pg_temp.must_fail('changing ' || v.change, '42501', 'UPDATE leads SET ' || v.change)
FROM (VALUES ('consultant_id = ''c0000000-0000-4000-8000-00000000000b'''), ('created_at = now()'), ('id = gen_random_uuid()')) AS v (change);
SELECT pg_temp.must_fail('making an own lead', '42501',
    'INSERT INTO leads (consultant_id, whatsapp_number) VALUES (''c0000000-0000-4000-8000-00000000000a'', ''+550000000005'')');
SELECT pg_temp.must_fail('deleting an own lead', '42501', 'DELETE FROM leads');

-- The policies hold by themselves, whatever somebody grants.
SELECT pg_temp.act_as('owner');
GRANT SELECT, INSERT, UPDATE, DELETE ON leads TO authenticated, anon;
SELECT pg_temp.act_as('authenticated', 'c0000000-0000-4000-8000-00000000000a');
SELECT pg_temp.must_fail('giving a lead to B', '42501', 'UPDATE leads SET consultant_id = ''c0000000-0000-4000-8000-00000000000b'' WHERE id = ''1ead0000-0000-4000-8000-00000000000a''');
-- Without WHERE or RETURNING nothing is read, so the policy for SELECT does not help: WITH CHECK alone must hold.
SELECT pg_temp.must_fail('giving leads to B without reading', '42501', 'UPDATE leads SET consultant_id = ''c0000000-0000-4000-8000-00000000000b''');
SELECT pg_temp.must_fail('making a lead for B', '42501',
    'INSERT INTO leads (consultant_id, whatsapp_number) VALUES (''c0000000-0000-4000-8000-00000000000b'', ''+550000000005'')');
SELECT pg_temp.must_fail('making a lead for A by policy', '42501',
    'INSERT INTO leads (consultant_id, whatsapp_number) VALUES (''c0000000-0000-4000-8000-00000000000a'', ''+550000000005'')');
SELECT pg_temp.rows('deleting leads as A', 0, 'DELETE FROM leads');
SELECT pg_temp.rows('taking a lead of B as A', 0, 'UPDATE leads SET consultant_id = ''c0000000-0000-4000-8000-00000000000a'' WHERE id = ''1ead0000-0000-4000-8000-00000000000b''');

SELECT pg_temp.act_as('anon', 'c0000000-0000-4000-8000-00000000000a');
SELECT pg_temp.rows('reading leads as anon', 0, 'SELECT * FROM leads');
SELECT pg_temp.must_fail('making a lead as anon', '42501',
    'INSERT INTO leads (consultant_id, whatsapp_number) VALUES (''c0000000-0000-4000-8000-00000000000a'', ''+550000000005'')');

SELECT pg_temp.act_as('authenticated', 'c0000000-0000-4000-8000-00000000000b');
SELECT pg_temp.rows('reading all leads as B', 1, 'SELECT * FROM leads');
SELECT pg_temp.act_as('authenticated');
SELECT pg_temp.rows('reading leads without identity', 0, 'SELECT * FROM leads');

SELECT pg_temp.act_as('service_role');
SELECT pg_temp.rows('making leads as the service', 2,
    'INSERT INTO leads (consultant_id, whatsapp_number) VALUES (''c0000000-0000-4000-8000-00000000000a'', ''+550000000006''), (''c0000000-0000-4000-8000-00000000000b'', ''+550000000006'')');

-- check: a consultant sees and changes own data only, never the password hash, the tier or the id, also where a right was granted by mistake.

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
SELECT pg_temp.rows('reading all consultants as A', 1, 'SELECT id FROM consultants');
SELECT pg_temp.rows('reading B as A', 0, 'SELECT id FROM consultants WHERE id = ''c0000000-0000-4000-8000-00000000000b''');
SELECT pg_temp.rows('reading every column that is allowed', 1,
    'SELECT id, email, name, bio, crm_number, whatsapp_number, vertical, slug, profile_image_url, is_active, subscription_tier,
            subscription_expires_at, created_at, updated_at FROM consultants WHERE id = ''c0000000-0000-4000-8000-00000000000a''');
SELECT pg_temp.must_fail('reading the own password hash', '42501', 'SELECT password_hash FROM consultants');
SELECT pg_temp.must_fail('comparing the password hash', '42501', 'SELECT id FROM consultants WHERE password_hash LIKE ''h%''');
SELECT pg_temp.rows('changing the own profile', 1,
    'UPDATE consultants SET name = ''A'', bio = ''Olá'', crm_number = ''1'', whatsapp_number = ''+550000000009'', profile_image_url = ''x''');
SELECT pg_temp.rows('changing B as A', 0, 'UPDATE consultants SET bio = ''mine'' WHERE id = ''c0000000-0000-4000-8000-00000000000b''');
SELECT pg_temp.must_fail('changing ' || v.change, '42501', 'UPDATE consultants SET ' || v.change)
FROM (VALUES
    ('subscription_tier = ''agency'''),
    ('subscription_expires_at = ''infinity'''),
    ('id = ''c0000000-0000-4000-8000-00000000000b'''),
    ('email = ''other@check.invalid'''),
    ('slug = ''other'''),
    ('is_active = FALSE'),
    ('deactivated_at = now()'),
    ('password_hash = ''x'''),
    ('created_at = now()')
) AS v (change);
SELECT pg_temp.must_fail('inserting a consultant', '42501',
    'INSERT INTO consultants (email, password_hash, name, whatsapp_number, vertical, slug)
     VALUES (''c@check.invalid'', ''x'', ''C'', ''+550000000000'', ''insurance'', ''check-slug-c'')');
SELECT pg_temp.must_fail('deleting oneself', '42501', 'DELETE FROM consultants');

-- The policies hold by themselves, whatever columns somebody grants.
SELECT pg_temp.act_as('owner');
GRANT SELECT, INSERT, UPDATE, DELETE ON consultants TO authenticated;
SELECT pg_temp.act_as('authenticated', 'c0000000-0000-4000-8000-00000000000a');
SELECT pg_temp.must_fail('becoming another id', '42501', 'UPDATE consultants SET id = ''c0000000-0000-4000-8000-00000000000c'' WHERE id = ''c0000000-0000-4000-8000-00000000000a''');
-- Without WHERE or RETURNING nothing is read, so the policy for SELECT does not help: WITH CHECK alone must hold.
SELECT pg_temp.must_fail('becoming another id without reading', '42501', 'UPDATE consultants SET id = ''c0000000-0000-4000-8000-00000000000c''');
SELECT pg_temp.rows('closing B as A', 0, 'UPDATE consultants SET is_active = FALSE WHERE id <> ''c0000000-0000-4000-8000-00000000000a''');
SELECT pg_temp.rows('deleting anybody as A', 0, 'DELETE FROM consultants');
SELECT pg_temp.must_fail('inserting a consultant by policy', '42501',
    'INSERT INTO consultants (email, password_hash, name, whatsapp_number, vertical, slug)
     VALUES (''c@check.invalid'', ''x'', ''C'', ''+550000000000'', ''insurance'', ''check-slug-c'')');

SELECT pg_temp.act_as('authenticated', 'c0000000-0000-4000-8000-00000000000b');
SELECT pg_temp.rows('reading all consultants as B', 1, 'SELECT id FROM consultants WHERE id = ''c0000000-0000-4000-8000-00000000000b'' OR TRUE');
SELECT pg_temp.act_as('authenticated', 'c0000000-0000-4000-8000-00000000000f');
SELECT pg_temp.rows('reading as somebody unknown', 0, 'SELECT id FROM consultants');
SELECT pg_temp.act_as('authenticated');
SELECT pg_temp.rows('reading without identity', 0, 'SELECT id FROM consultants');

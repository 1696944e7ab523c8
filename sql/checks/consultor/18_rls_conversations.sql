-- check: conversations, messages, archived messages, AI responses and images are read by the consultant they belong to, and changed by none.

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
INSERT INTO messages (conversation_id, direction, content)
VALUES ('c0170000-0000-4000-8000-00000000000a', 'inbound', 'to A'), ('c0170000-0000-4000-8000-00000000000a', 'outbound', 'from A'), ('c0170000-0000-4000-8000-00000000000b', 'inbound', 'to B');
INSERT INTO messages_archive (id, conversation_id, direction, content, message_type, status, created_at)
VALUES
    ('a0000000-0000-4000-8000-00000000000a', 'c0170000-0000-4000-8000-00000000000a', 'inbound', 'to A', 'text', 'read', '2020-01-01 00:00:00+00'),
    ('a0000000-0000-4000-8000-00000000000b', 'c0170000-0000-4000-8000-00000000000b', 'inbound', 'to B', 'text', 'read', '2020-01-01 00:00:00+00');
INSERT INTO ai_responses (lead_id, conversation_id, prompt, response, model)
VALUES ('1ead0000-0000-4000-8000-00000000000a', 'c0170000-0000-4000-8000-00000000000a', 'p', 'r', 'm'), ('1ead0000-0000-4000-8000-00000000000b', 'c0170000-0000-4000-8000-00000000000b', 'p', 'r', 'm'), (NULL, NULL, 'p', 'r', 'm');
INSERT INTO generated_images (lead_id, consultant_id, template_id, template_data, image_url)
VALUES ('1ead0000-0000-4000-8000-00000000000a', 'c0000000-0000-4000-8000-00000000000a', 't', '{}', 'u'), ('1ead0000-0000-4000-8000-00000000000b', 'c0000000-0000-4000-8000-00000000000b', 't', '{}', 'u'), (NULL, NULL, 't', '{}', 'u');

-- Twice: with the rights of V0009, then with every right granted by mistake.
CREATE FUNCTION pg_temp.read_only_own(p_granted BOOLEAN)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_table RECORD;
    v_who RECORD;
BEGIN
    FOR v_table IN
        SELECT t.name, t.of_a, t.of_b
        FROM (VALUES ('conversations', 1, 1), ('messages', 2, 1), ('messages_archive', 1, 1), ('ai_responses', 1, 1), ('generated_images', 1, 1))
            AS t (name, of_a, of_b)
    LOOP
        FOR v_who IN
            SELECT w.name, w.subject, w.rows
            FROM (VALUES ('A', 'c0000000-0000-4000-8000-00000000000a', v_table.of_a), ('B', 'c0000000-0000-4000-8000-00000000000b', v_table.of_b), ('somebody unknown', 'c0000000-0000-4000-8000-00000000000f', 0), ('nobody', '', 0))
                AS w (name, subject, rows)
        LOOP
            PERFORM pg_temp.act_as('authenticated', v_who.subject);
            PERFORM pg_temp.rows(format('reading %s as %s', v_table.name, v_who.name), v_who.rows, format('SELECT * FROM %I', v_table.name));
            IF p_granted THEN
                PERFORM pg_temp.rows(format('changing %s as %s', v_table.name, v_who.name), 0, format('UPDATE %I SET id = id', v_table.name));
                PERFORM pg_temp.rows(format('deleting %s as %s', v_table.name, v_who.name), 0, format('DELETE FROM %I', v_table.name));
            ELSE
                PERFORM pg_temp.must_fail(format('changing %s as %s', v_table.name, v_who.name), '42501', format('UPDATE %I SET id = id', v_table.name));
                PERFORM pg_temp.must_fail(format('deleting %s as %s', v_table.name, v_who.name), '42501', format('DELETE FROM %I', v_table.name));
            END IF;
        END LOOP;
    END LOOP;

    PERFORM pg_temp.act_as('authenticated', 'c0000000-0000-4000-8000-00000000000a');
    PERFORM pg_temp.must_fail('starting a conversation as A', '42501',
        'INSERT INTO conversations (lead_id, flow_id, is_completed) VALUES (''1ead0000-0000-4000-8000-00000000000a'', ''f1000000-0000-4000-8000-00000000000a'', TRUE)');
    PERFORM pg_temp.must_fail('writing a message as A', '42501',
        'INSERT INTO messages (conversation_id, direction, content) VALUES (''c0170000-0000-4000-8000-00000000000a'', ''outbound'', ''x'')');
    PERFORM pg_temp.must_fail('writing to the archive as A', '42501',
        'INSERT INTO messages_archive (id, conversation_id, direction, content, message_type, status, created_at)
         VALUES (''a0000000-0000-4000-8000-00000000000c'', ''c0170000-0000-4000-8000-00000000000a'', ''inbound'', ''x'', ''text'', ''read'', now())');
    PERFORM pg_temp.must_fail('writing an AI response as A', '42501',
        'INSERT INTO ai_responses (lead_id, prompt, response, model) VALUES (''1ead0000-0000-4000-8000-00000000000a'', ''p'', ''r'', ''m'')');
    PERFORM pg_temp.must_fail('writing an image as A', '42501',
        'INSERT INTO generated_images (consultant_id, template_id, template_data, image_url) VALUES (''c0000000-0000-4000-8000-00000000000a'', ''t'', ''{}'', ''u'')');
    PERFORM pg_temp.act_as('owner');
END;
$$;

SELECT pg_temp.read_only_own(FALSE);
GRANT SELECT, INSERT, UPDATE, DELETE ON conversations, messages, messages_archive, ai_responses, generated_images TO authenticated;
SELECT pg_temp.read_only_own(TRUE);

-- check: deleting a lead or a consultant leaves an entry in the audit trail, whoever deletes, also when the lead goes with its consultant.

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
INSERT INTO leads (id, consultant_id, whatsapp_number, name) VALUES ('1ead0000-0000-4000-8000-00000000000c', 'c0000000-0000-4000-8000-00000000000a', '+550000000003', 'Second lead of A');

SELECT pg_temp.act_as('service_role');
SELECT pg_temp.rows('a deletion by service_role', 1, 'DELETE FROM leads WHERE id = ''1ead0000-0000-4000-8000-00000000000a''');
SELECT pg_temp.act_as('owner');
SELECT pg_temp.rows('the entry of a deleted lead', 1, $$
    SELECT FROM audit_logs
    WHERE action = 'data_deleted' AND resource_type = 'lead' AND resource_id = '1ead0000-0000-4000-8000-00000000000a' AND consultant_id = 'c0000000-0000-4000-8000-00000000000a'
      AND details = '{"consultant_id": "c0000000-0000-4000-8000-00000000000a"}'
$$);

DELETE FROM consultants WHERE id = 'c0000000-0000-4000-8000-00000000000a';
SELECT pg_temp.rows('the entry of a deleted consultant', 1, $$
    SELECT FROM audit_logs
    WHERE action = 'data_deleted' AND resource_type = 'consultant' AND resource_id = 'c0000000-0000-4000-8000-00000000000a' AND consultant_id IS NULL
      AND details = '{"consultant_id": "c0000000-0000-4000-8000-00000000000a"}'
$$);
SELECT pg_temp.rows('the entry of a lead that went with its consultant', 1, $$
    SELECT FROM audit_logs
    WHERE action = 'data_deleted' AND resource_type = 'lead' AND resource_id = '1ead0000-0000-4000-8000-00000000000c' AND consultant_id IS NULL
      AND details = '{"consultant_id": "c0000000-0000-4000-8000-00000000000a"}'
$$);
SELECT pg_temp.rows('entries of what was not deleted', 0, 'SELECT FROM audit_logs WHERE resource_id IN (''1ead0000-0000-4000-8000-00000000000b'', ''c0000000-0000-4000-8000-00000000000b'')');

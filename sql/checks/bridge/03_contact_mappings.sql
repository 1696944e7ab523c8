-- check: a contact is mapped once, and to a lead, a person or both.

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

DO $$
DECLARE
    v_row contact_mappings;
BEGIN
    INSERT INTO contact_mappings (chatwoot_contact_id, krayin_lead_id, krayin_person_id)
    VALUES
        (9000000000000001, 9000000000000101, NULL),
        (9000000000000002, NULL, 9000000000000201),
        (9000000000000003, 9000000000000103, 9000000000000203);

    SELECT c.* INTO STRICT v_row FROM contact_mappings AS c WHERE c.chatwoot_contact_id = 9000000000000001;
    IF v_row.id IS NULL OR v_row.created_at <> now() OR v_row.updated_at <> now() THEN
        RAISE EXCEPTION 'check failed: the defaults of contact_mappings give %', v_row;
    END IF;
END;
$$;

SELECT pg_temp.must_fail('a contact without lead and person', '23514',
    'INSERT INTO contact_mappings (chatwoot_contact_id) VALUES (9000000000000004)',
    'chk_contact_mappings_has_mapping');

SELECT pg_temp.must_fail('taking the last mapping from a contact', '23514',
    'UPDATE contact_mappings SET krayin_lead_id = NULL WHERE chatwoot_contact_id = 9000000000000001',
    'chk_contact_mappings_has_mapping');

SELECT pg_temp.must_fail('a second mapping of a contact', '23505',
    'INSERT INTO contact_mappings (chatwoot_contact_id, krayin_lead_id) VALUES (9000000000000001, 9000000000000105)',
    'contact_mappings_chatwoot_contact_id_key');

SELECT pg_temp.must_fail('a mapping without contact', '23502',
    'INSERT INTO contact_mappings (krayin_lead_id) VALUES (9000000000000106)');

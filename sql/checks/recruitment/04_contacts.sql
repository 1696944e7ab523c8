-- check: an email address and a phone number exist once an account; a contact may have neither.

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

CREATE TEMPORARY TABLE check_account AS
WITH a AS (
    INSERT INTO accounts (name) VALUES ('check 1'), ('check 2') RETURNING id, name
)
SELECT a.id, a.name FROM a;

DO $$
BEGIN
    INSERT INTO contacts (account_id, name, email, phone_number)
    SELECT a.id, 'Ana', 'ana@check.invalid', '+31600000001' FROM check_account AS a;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'check failed: two accounts cannot both know the same person: %', SQLERRM;
END;
$$;

SELECT pg_temp.must_fail('the same email twice in an account', '23505', $sql$
    INSERT INTO contacts (account_id, email) SELECT a.id, 'ana@check.invalid' FROM check_account AS a WHERE a.name = 'check 1'
$sql$, 'unique_email_per_account');

SELECT pg_temp.must_fail('the same phone twice in an account', '23505', $sql$
    INSERT INTO contacts (account_id, phone_number) SELECT a.id, '+31600000001' FROM check_account AS a WHERE a.name = 'check 1'
$sql$, 'unique_phone_per_account');

SELECT pg_temp.must_fail('a contact of no account', '23502', $sql$
    INSERT INTO contacts (name) VALUES ('nobody''s')
$sql$);

SELECT pg_temp.must_fail('a contact of an account that does not exist', '23503', $sql$
    INSERT INTO contacts (account_id, name) VALUES (-1, 'nobody''s')
$sql$, 'contacts_account_id_fkey');

INSERT INTO contacts (account_id)
SELECT a.id FROM check_account AS a CROSS JOIN generate_series(1, 2);

DO $$
DECLARE
    v_contact contacts;
BEGIN
    SELECT c.* INTO v_contact
    FROM contacts AS c
    JOIN check_account AS a ON a.id = c.account_id
    WHERE c.email IS NULL
    LIMIT 1;
    IF v_contact.custom_attributes IS DISTINCT FROM '{}'::JSONB
       OR v_contact.created_at IS DISTINCT FROM now()
       OR v_contact.updated_at IS DISTINCT FROM now() THEN
        RAISE EXCEPTION 'check failed: a contact starts as %', v_contact;
    END IF;
END;
$$;

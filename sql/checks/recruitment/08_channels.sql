-- check: a WhatsApp number exists once an account, next to a contact that has the same number.

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
    INSERT INTO accounts (name) VALUES ('check 1'), ('check 2') RETURNING id
)
SELECT a.id FROM a;

INSERT INTO contacts (account_id, phone_number) SELECT a.id, '+31600000001' FROM check_account AS a;

INSERT INTO channel_whatsapp (account_id, phone_number, provider, provider_config)
SELECT a.id, '+31600000001', 'whatsapp_cloud', '{"api_key": "check"}' FROM check_account AS a;

SELECT pg_temp.must_fail('the same number twice in an account', '23505', $sql$
    INSERT INTO channel_whatsapp (account_id, phone_number, provider)
    SELECT a.id, '+31600000001', '360dialog' FROM check_account AS a
$sql$, 'unique_whatsapp_phone_per_account');

SELECT pg_temp.must_fail('a channel without a provider', '23502', $sql$
    INSERT INTO channel_whatsapp (account_id, phone_number) SELECT a.id, '+31600000002' FROM check_account AS a
$sql$);

INSERT INTO channel_api (account_id, webhook_url) SELECT a.id, 'https://check.invalid/hook' FROM check_account AS a;

DO $$
BEGIN
    IF EXISTS (SELECT FROM channel_api AS c JOIN check_account AS a ON a.id = c.account_id WHERE c.hmac_mandatory IS DISTINCT FROM FALSE) THEN
        RAISE EXCEPTION 'check failed: hmac_mandatory does not start as FALSE';
    END IF;
    IF EXISTS (
        SELECT FROM channel_whatsapp AS c JOIN check_account AS a ON a.id = c.account_id
        WHERE c.message_templates IS DISTINCT FROM '[]'::JSONB
    ) THEN
        RAISE EXCEPTION 'check failed: message_templates does not start as an empty list';
    END IF;
END;
$$;

-- check: consent is granted with a date and not withdrawn, withdrawn with a date, or denied, for one of three purposes.

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

CREATE FUNCTION pg_temp.consent(p_type TEXT, p_status TEXT, p_granted TIMESTAMPTZ, p_withdrawn TIMESTAMPTZ)
RETURNS VOID
LANGUAGE sql
AS $$
    INSERT INTO consent_records (contact_id, consent_type, status, granted_at, withdrawn_at,
                                 ip_address, user_agent, consent_text, consent_version)
    VALUES (9000000000000001, p_type, p_status, p_granted, p_withdrawn, '2001:db8::1', 'check', 'I agree.', '1.0')
$$;

SELECT
    pg_temp.consent(t.consent_type, 'granted', now(), NULL),
    pg_temp.consent(t.consent_type, 'withdrawn', now() - INTERVAL '1 day', now()),
    pg_temp.consent(t.consent_type, 'withdrawn', NULL, now()),
    pg_temp.consent(t.consent_type, 'denied', NULL, NULL)
FROM unnest(ARRAY['data_processing', 'marketing', 'health_data']) AS t (consent_type);

SELECT pg_temp.must_fail('a grant without date', '23514',
    'SELECT pg_temp.consent(''marketing'', ''granted'', NULL, NULL)', 'chk_consent_status_dates');
SELECT pg_temp.must_fail('a grant that was withdrawn', '23514',
    'SELECT pg_temp.consent(''marketing'', ''granted'', now(), now())', 'chk_consent_status_dates');
SELECT pg_temp.must_fail('a withdrawal without date', '23514',
    'SELECT pg_temp.consent(''marketing'', ''withdrawn'', now(), NULL)', 'chk_consent_status_dates');
SELECT pg_temp.must_fail('a withdrawal date put on a grant', '23514',
    'UPDATE consent_records SET withdrawn_at = now() WHERE contact_id = 9000000000000001 AND status = ''granted''',
    'chk_consent_status_dates');

SELECT pg_temp.must_fail(format('the status %L', s.status), '23514',
    format('SELECT pg_temp.consent(''marketing'', %L, now(), NULL)', s.status))
FROM unnest(ARRAY['revoked', 'Granted', '']) AS s (status);

SELECT pg_temp.must_fail(format('the consent type %L', t.consent_type), '23514',
    format('SELECT pg_temp.consent(%L, ''denied'', NULL, NULL)', t.consent_type), 'chk_consent_type')
FROM unnest(ARRAY['newsletter', 'Marketing', '']) AS t (consent_type);

SELECT pg_temp.must_fail(format('consent without %I', c.name), '23502',
    format('UPDATE consent_records SET %I = NULL WHERE contact_id = 9000000000000001 AND status = ''denied''', c.name))
FROM unnest(ARRAY[
    'contact_id', 'consent_type', 'status', 'ip_address', 'user_agent', 'consent_text', 'consent_version',
    'created_at'
]) AS c (name);

-- Withdrawing a grant, as the application does it.
DO $$
BEGIN
    UPDATE consent_records
    SET status = 'withdrawn',
        withdrawn_at = now()
    WHERE contact_id = 9000000000000001
      AND consent_type = 'marketing'
      AND status = 'granted';
    IF 2 <> (
        SELECT count(*)
        FROM consent_records AS c
        WHERE c.contact_id = 9000000000000001
          AND c.status = 'granted'
          AND c.withdrawn_at IS NULL
    ) THEN
        RAISE EXCEPTION 'check failed: withdrawing one of three grants does not leave two';
    END IF;
END;
$$;

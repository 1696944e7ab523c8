-- check: a user starts as guest with an unverified account; username and email are taken once, also by deleted users.

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
    v_user users;
BEGIN
    INSERT INTO users (username, first_name, last_name, email, password_hash)
    VALUES ('check ann', 'Ann', 'Check', 'ann@check.invalid', 'secret')
    RETURNING * INTO v_user;

    IF v_user.id IS NULL
       OR (v_user.current_status, v_user.account_type_informal, v_user.current_account_status, v_user.is_email_verified, v_user.chat_preferences)
          IS DISTINCT FROM ('offline', 'guest'::user_account_type_informal_enum, 'pending-verification'::user_account_status_enum, FALSE, '{}'::JSONB)
       OR v_user.created_at <> now() OR v_user.updated_at <> now() OR v_user.deleted_at IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: the defaults of users give %', v_user;
    END IF;

    INSERT INTO users (username, first_name, last_name, email, password_hash, current_status, deleted_at)
    VALUES ('check del', 'Del', 'Check', 'del@check.invalid', 'secret', 'in a call', now());
END;
$$;

SELECT pg_temp.must_fail(format('the taken name %s with the email %s', t.username, t.email), '23505',
    format('INSERT INTO users (username, first_name, last_name, email, password_hash) VALUES (%L, '''', '''', %L, '''')', t.username, t.email),
    t.violated)
FROM (VALUES
    ('check ann', 'new@check.invalid', 'uq_users_username'),
    ('check new', 'ann@check.invalid', 'uq_users_email'),
    ('check del', 'new@check.invalid', 'uq_users_username'),
    ('check new', 'del@check.invalid', 'uq_users_email')
) AS t (username, email, violated);

SELECT pg_temp.must_fail(format('a user without %s', c.name), '23502',
    format('UPDATE users SET %I = NULL WHERE username = ''check ann''', c.name))
FROM unnest(ARRAY['username', 'first_name', 'last_name', 'email', 'password_hash', 'current_status', 'chat_preferences']) AS c (name);

SELECT pg_temp.must_fail('a blank status', '23514',
    'UPDATE users SET current_status = '' '' WHERE username = ''check ann''', 'chk_users_current_status');

-- check: the six prefixes of the chat are known, and a user holds exactly the actions granted, as long as the account may be used.

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

-- The id of somebody or something in this check.
CREATE FUNCTION pg_temp.id(p_name TEXT)
RETURNS UUID
LANGUAGE sql
IMMUTABLE
AS $$ SELECT md5('chat check ' || p_name)::UUID $$;

CREATE FUNCTION pg_temp.expect(p_what TEXT, p_got TEXT, p_wanted TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    IF p_got IS DISTINCT FROM p_wanted THEN
        RAISE EXCEPTION 'check failed: % gives %, not %', p_what, COALESCE(p_got, 'NULL'), COALESCE(p_wanted, 'NULL');
    END IF;
END;
$$;

SELECT pg_temp.expect('the prefixes', string_agg(d.permission_prefix, ' ' ORDER BY d.permission_prefix COLLATE "C"),
    'chat:escalation chat:file chat:message chat:robot chat:room supervisor:chat')
FROM access_permission_domains AS d
WHERE d.permission_prefix ~ '^(chat:|supervisor:chat$)';

INSERT INTO users (id, username, first_name, last_name, email, password_hash)
VALUES (pg_temp.id('ann'), 'check ann', 'Ann', 'Check', 'ann@check.invalid', 'secret');

INSERT INTO access_permission_domains (permission_prefix) VALUES ('check:a_b'), ('check:axb');
INSERT INTO user_access_permissions (user_id, permission_prefix, action)
VALUES (pg_temp.id('ann'), 'chat:room', 'create'), (pg_temp.id('ann'), 'check:a_b', '*');

SELECT pg_temp.expect(p.permission, user_has_permission(pg_temp.id('ann'), p.permission)::TEXT, p.held)
FROM (VALUES
    ('chat:room:create', 'true'), ('chat:room:delete', 'false'), ('chat:room', 'false'), ('chat:room:', 'false'),
    ('chat:room:*', 'false'), ('chat:room:created', 'false'), ('chat:message:create', 'false'), ('', 'false'),
    ('check:a_b:read', 'true'), ('check:a_b:write', 'true'), ('check:axb:read', 'false'), ('check:a_b:', 'false'),
    ('xcheck:a_b:read', 'false'), ('check:a_b:read:more', 'false')
) AS p (permission, held);

SELECT pg_temp.expect('a permission of nobody', user_has_permission(NULL, 'chat:room:create')::TEXT, 'false');

DO $$
DECLARE
    v_change TEXT;
BEGIN
    FOREACH v_change IN ARRAY ARRAY['current_account_status = ''suspended''', 'current_account_status = ''closed''',
                                    'current_account_status = ''active'', deleted_at = now()'] LOOP
        EXECUTE format('UPDATE users SET %s WHERE username = ''check ann''', v_change);
        IF user_has_permission(pg_temp.id('ann'), 'chat:room:create') OR user_has_permission(pg_temp.id('ann'), 'check:a_b:read') THEN
            RAISE EXCEPTION 'check failed: a user holds permissions with %', v_change;
        END IF;
    END LOOP;
END;
$$;

SELECT pg_temp.must_fail('a prefix twice', '23505',
    'INSERT INTO access_permission_domains (permission_prefix) VALUES (''chat:room'')', 'uq_access_permission_domains_prefix');
SELECT pg_temp.must_fail(format('the prefix %L', p.prefix), '23514',
    format('INSERT INTO access_permission_domains (permission_prefix) VALUES (%L)', p.prefix), 'chk_access_permission_domains_prefix')
FROM unnest(ARRAY['check', 'check:a:b', ':a', 'check:', 'Check:a', 'check:.*']) AS p (prefix);
SELECT pg_temp.must_fail(format('the action %L', a.action), '23514',
    format('INSERT INTO user_access_permissions (user_id, permission_prefix, action) VALUES (%L, ''chat:room'', %L)', pg_temp.id('ann'), a.action),
    'chk_user_access_permissions_action')
FROM unnest(ARRAY['', 'a:b', '**', 'Create']) AS a (action);
SELECT pg_temp.must_fail('a grant of an unknown prefix', '23503',
    format('INSERT INTO user_access_permissions (user_id, permission_prefix, action) VALUES (%L, ''check:none'', ''read'')', pg_temp.id('ann')),
    'fk_user_access_permissions_prefix');
SELECT pg_temp.must_fail('a prefix that somebody holds, deleted', '23503',
    'DELETE FROM access_permission_domains WHERE permission_prefix = ''check:a_b''', 'fk_user_access_permissions_prefix');

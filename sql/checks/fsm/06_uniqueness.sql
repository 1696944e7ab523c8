-- check: what may exist once only is refused the second time.

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
-- An id of this check: no other row has it.
CREATE FUNCTION pg_temp.u(p_n INTEGER)
RETURNS UUID
LANGUAGE sql
AS $$ SELECT ('f5c0ffee-0000-4000-8000-' || lpad(p_n::TEXT, 12, '0'))::UUID $$;

INSERT INTO auth.users (id, email, password_hash)
VALUES (pg_temp.u(1), 'check-1@fsm.invalid', 'hash');
INSERT INTO auth.roles (id, name)
VALUES (pg_temp.u(1), 'check-f5c0ffee');
INSERT INTO auth.user_roles (user_id, role_id)
VALUES (pg_temp.u(1), pg_temp.u(1));
INSERT INTO auth.sessions (user_id, token_hash, expires_at)
VALUES (pg_temp.u(1), 'check-f5c0ffee', now());
INSERT INTO auth.password_reset_tokens (user_id, token_hash, expires_at)
VALUES (pg_temp.u(1), 'check-f5c0ffee', now());
INSERT INTO auth.email_verification_tokens (user_id, token_hash, email, expires_at)
VALUES (pg_temp.u(1), 'check-f5c0ffee', 'check', now());
INSERT INTO app.organizations (id, name, slug)
VALUES (pg_temp.u(1), 'Check', 'check-f5c0ffee'), (pg_temp.u(2), 'Check', 'check-f5c0ffee-2');
INSERT INTO app.organization_members (organization_id, user_id)
VALUES (pg_temp.u(1), pg_temp.u(1));
INSERT INTO app.projects (organization_id, name, slug)
VALUES (pg_temp.u(1), 'Check', 'check'), (pg_temp.u(2), 'Check', 'check');

SELECT pg_temp.must_fail(u.what, '23505', replace(u.sql, ':u1', quote_literal(pg_temp.u(1))), u.name)
FROM (VALUES
    ('an address twice', 'users_email_key',
     'INSERT INTO auth.users (email, password_hash) VALUES (''check-1@fsm.invalid'', ''hash'')'),
    ('the name of a role twice', 'roles_name_key',
     'INSERT INTO auth.roles (name) VALUES (''check-f5c0ffee'')'),
    ('a role given twice', 'user_roles_user_id_role_id_key',
     'INSERT INTO auth.user_roles (user_id, role_id) VALUES (:u1, :u1)'),
    ('the token of a session twice', 'sessions_token_hash_key',
     'INSERT INTO auth.sessions (user_id, token_hash, expires_at) VALUES (:u1, ''check-f5c0ffee'', now())'),
    ('the token of a reset twice', 'password_reset_tokens_token_hash_key',
     'INSERT INTO auth.password_reset_tokens (user_id, token_hash, expires_at) VALUES (:u1, ''check-f5c0ffee'', now())'),
    ('the token of a verification twice', 'email_verification_tokens_token_hash_key',
     'INSERT INTO auth.email_verification_tokens (user_id, token_hash, email, expires_at) VALUES (:u1, ''check-f5c0ffee'', ''check'', now())'),
    ('the slug of an organization twice', 'organizations_slug_key',
     'INSERT INTO app.organizations (name, slug) VALUES (''Check'', ''check-f5c0ffee'')'),
    ('a member twice', 'organization_members_organization_id_user_id_key',
     'INSERT INTO app.organization_members (organization_id, user_id) VALUES (:u1, :u1)'),
    ('the slug of a project twice in an organization', 'projects_organization_id_slug_key',
     'INSERT INTO app.projects (organization_id, name, slug) VALUES (:u1, ''Check'', ''check'')')
) AS u (what, name, sql);

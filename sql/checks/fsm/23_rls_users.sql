-- check: people see themselves and those they work with, without their password hash; they change only themselves, and nobody lifts their own suspension.

-- An id of this check: no other row has it.
CREATE FUNCTION pg_temp.u(p_n INTEGER)
RETURNS UUID
LANGUAGE sql
AS $$ SELECT ('f5c0ffee-0000-4000-8000-' || lpad(p_n::TEXT, 12, '0'))::UUID $$;

-- 1 owner, 2 admin, 3 member, 4 viewer, 7 pending, 8 suspended in organization 101; 5 owner of organization 102;
-- 6 admin of the whole system, 10 one whose admin role has expired, both in no organization.
-- Projects of 101: 201 private, 202 organization, 203 public, 205 public and deleted; of 102: 204 private, 206 public.
INSERT INTO auth.users (id, email, password_hash, first_name, last_name)
SELECT pg_temp.u(g.n), format('check-%s@fsm.invalid', g.n), 'hash', 'Check', 'No. ' || g.n
FROM generate_series(1, 10) AS g (n);

INSERT INTO auth.roles (name)
VALUES ('admin')
ON CONFLICT DO NOTHING;

INSERT INTO auth.user_roles (id, user_id, role_id, expires_at)
SELECT pg_temp.u(v.user_id), pg_temp.u(v.user_id), r.id, v.expires_at
FROM auth.roles AS r
CROSS JOIN (VALUES (6, now() + INTERVAL '1 day'), (10, now() - INTERVAL '1 second')) AS v (user_id, expires_at)
WHERE r.name = 'admin';

INSERT INTO app.organizations (id, name, slug, created_by)
VALUES
    (pg_temp.u(101), 'Check A', 'check-a-f5c0ffee', pg_temp.u(1)),
    (pg_temp.u(102), 'Check B', 'check-b-f5c0ffee', pg_temp.u(5));

INSERT INTO app.organization_members (organization_id, user_id, role, status)
SELECT pg_temp.u(v.organization_id), pg_temp.u(v.user_id), v.role, v.status
FROM (VALUES
    (101, 1, 'owner', 'active'),
    (101, 2, 'admin', 'active'),
    (101, 3, 'member', 'active'),
    (101, 4, 'viewer', 'active'),
    (101, 7, 'admin', 'pending'),
    (101, 8, 'member', 'suspended'),
    (102, 5, 'owner', 'active')
) AS v (organization_id, user_id, role, status);

INSERT INTO app.projects (id, organization_id, name, slug, visibility, deleted_at)
SELECT pg_temp.u(v.id), pg_temp.u(v.organization_id), 'Check', 'check-' || v.id, v.visibility, v.deleted_at
FROM (VALUES
    (201, 101, 'private', NULL),
    (202, 101, 'organization', NULL),
    (203, 101, 'public', NULL),
    (204, 102, 'private', NULL),
    (205, 101, 'public', now()),
    (206, 102, 'public', NULL)
) AS v (id, organization_id, visibility, deleted_at);
-- An owner that is no member of fsm_app becomes one for the length of this transaction.
DO $$
DECLARE
    v_me NAME := current_user;
BEGIN
    SET LOCAL ROLE fsm_app;
    EXECUTE format('SET LOCAL ROLE %I', v_me);
EXCEPTION WHEN insufficient_privilege THEN
    BEGIN
        EXECUTE format('GRANT fsm_app TO %I', v_me);
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'check failed: role "%" cannot act as fsm_app to try its rights', v_me
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('as superuser: GRANT fsm_app TO %I', v_me);
    END;
END;
$$;

-- Runs p_sql as fsm_app for p_user, null is nobody; returns how many rows it read or changed.
CREATE FUNCTION pg_temp.rows_as(p_user UUID, p_sql TEXT)
RETURNS BIGINT
LANGUAGE plpgsql
AS $$
DECLARE
    v_me NAME := current_user;
    v_rows BIGINT;
BEGIN
    PERFORM set_config('app.current_user_id', COALESCE(p_user::TEXT, ''), TRUE);
    SET LOCAL ROLE fsm_app;
    EXECUTE p_sql;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    EXECUTE format('SET LOCAL ROLE %I', v_me);
    PERFORM set_config('app.current_user_id', '', TRUE);
    RETURN v_rows;
END;
$$;

-- Wants p_sql to read or change p_rows rows, then takes it back.
CREATE FUNCTION pg_temp.expect_as(p_what TEXT, p_user UUID, p_rows BIGINT, p_sql TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_rows BIGINT;
BEGIN
    BEGIN
        v_rows := pg_temp.rows_as(p_user, p_sql);
        RAISE EXCEPTION USING ERRCODE = 'UNDO0';
    EXCEPTION
        WHEN SQLSTATE 'UNDO0' THEN
            NULL;
        WHEN OTHERS THEN
            RAISE EXCEPTION 'check failed: % gives % (%), not % rows', p_what, SQLSTATE, SQLERRM, p_rows;
    END;
    IF v_rows <> p_rows THEN
        RAISE EXCEPTION 'check failed: % gives % rows, not %', p_what, v_rows, p_rows;
    END IF;
END;
$$;

-- Wants p_sql to be refused with p_sqlstate.
CREATE FUNCTION pg_temp.refuse_as(p_what TEXT, p_user UUID, p_sql TEXT, p_sqlstate TEXT DEFAULT '42501')
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_rows BIGINT;
BEGIN
    BEGIN
        v_rows := pg_temp.rows_as(p_user, p_sql);
    EXCEPTION WHEN OTHERS THEN
        IF SQLSTATE <> p_sqlstate THEN
            RAISE EXCEPTION 'check failed: % gives % (%), not %', p_what, SQLSTATE, SQLERRM, p_sqlstate;
        END IF;
        RETURN;
    END;
    RAISE EXCEPTION 'check failed: % is accepted and gives % rows', p_what, v_rows;
END;
$$;

CREATE FUNCTION pg_temp.sees(p_n INTEGER, p_people BIGINT)
RETURNS VOID
LANGUAGE sql
AS $$
    SELECT pg_temp.expect_as(format('user %s looking for users', p_n), pg_temp.u(p_n), p_people,
        format('SELECT u.email, u.status FROM auth.users AS u WHERE u.id BETWEEN %L AND %L', pg_temp.u(1), pg_temp.u(99)))
$$;

-- Six in organization 101, whoever of them is pending or suspended included; those two see themselves only.
SELECT pg_temp.sees(1, 6), pg_temp.sees(4, 6), pg_temp.sees(5, 1), pg_temp.sees(6, 10), pg_temp.sees(7, 1),
       pg_temp.sees(8, 1), pg_temp.sees(9, 1), pg_temp.sees(10, 1), pg_temp.sees(99, 0);
SELECT pg_temp.expect_as('nobody looking for users', NULL, 0, 'SELECT u.email FROM auth.users AS u');

UPDATE app.organization_members SET status = 'removed' WHERE user_id = pg_temp.u(8);
SELECT pg_temp.sees(1, 5);

SELECT pg_temp.refuse_as('reading one''s own password_hash', pg_temp.u(1), 'SELECT u.password_hash FROM auth.users AS u');
SELECT pg_temp.refuse_as('reading every column', pg_temp.u(1), 'SELECT * FROM auth.users AS u');

SELECT pg_temp.expect_as(w.what, pg_temp.u(w.n), w.n_rows, format('UPDATE auth.users SET %s WHERE id = %L', w.change, pg_temp.u(w.target)))
FROM (VALUES
    ('changing one''s name', 3, 3, 'first_name = ''x''', 1),
    ('changing one''s password', 3, 3, 'password_hash = ''x''', 1),
    ('changing a colleague''s name', 3, 4, 'first_name = ''x''', 0),
    ('changing a stranger''s name', 3, 5, 'first_name = ''x''', 0),
    ('an admin changing anybody''s name', 6, 3, 'first_name = ''x''', 1),
    ('an admin suspending somebody', 6, 3, 'status = ''suspended'', locked_until = now()', 1),
    ('somebody whose admin role has expired', 10, 3, 'first_name = ''x''', 0)
) AS w (what, n, target, change, n_rows);

SELECT pg_temp.refuse_as('changing one''s own ' || w.change, pg_temp.u(3),
    format('UPDATE auth.users SET %s WHERE id = %L', w.change, pg_temp.u(3)))
FROM (VALUES
    ('status = ''suspended'''), ('locked_until = now()'), ('deleted_at = now()'), ('email = ''x'''), ('email_verified = TRUE'),
    ('failed_login_attempts = 0'), ('id = gen_random_uuid()')
) AS w (change);

SELECT pg_temp.refuse_as('signing up as fsm_app', pg_temp.u(3), 'INSERT INTO auth.users (email, password_hash) VALUES (''x'', ''x'')');
SELECT pg_temp.refuse_as('deleting oneself', pg_temp.u(3), format('DELETE FROM auth.users WHERE id = %L', pg_temp.u(3)));

-- The owner of the tables is free.
UPDATE auth.users SET status = 'suspended', email_verified = TRUE WHERE id = pg_temp.u(3);

-- Roles: everybody sees what there are and which are theirs; admins give and take.
SELECT pg_temp.expect_as('reading roles', pg_temp.u(3), 1, 'SELECT FROM auth.roles AS r WHERE r.name = ''admin''');
SELECT pg_temp.refuse_as('making a role', pg_temp.u(6), 'INSERT INTO auth.roles (name) VALUES (''x'')');
SELECT pg_temp.expect_as(w.what, pg_temp.u(w.n), w.n_rows, w.sql)
FROM (VALUES
    ('reading one''s roles', 10, 'SELECT FROM auth.user_roles AS r WHERE r.user_id = ' || quote_literal(pg_temp.u(10)), 1),
    ('reading another''s roles', 3, 'SELECT FROM auth.user_roles AS r WHERE r.user_id = ' || quote_literal(pg_temp.u(10)), 0),
    ('an admin reading another''s roles', 6, 'SELECT FROM auth.user_roles AS r WHERE r.user_id = ' || quote_literal(pg_temp.u(10)), 1),
    ('prolonging one''s expired role', 10, 'UPDATE auth.user_roles SET expires_at = NULL WHERE user_id = ' || quote_literal(pg_temp.u(10)), 0),
    ('an admin prolonging a role', 6, 'UPDATE auth.user_roles SET expires_at = NULL WHERE user_id = ' || quote_literal(pg_temp.u(10)), 1),
    ('giving up one''s role', 10, 'DELETE FROM auth.user_roles WHERE user_id = ' || quote_literal(pg_temp.u(10)), 0),
    ('an admin taking a role', 6, 'DELETE FROM auth.user_roles WHERE user_id = ' || quote_literal(pg_temp.u(10)), 1),
    ('an admin giving a role', 6, format('INSERT INTO auth.user_roles (user_id, role_id) SELECT %L, r.id FROM auth.roles AS r WHERE r.name = ''admin'' RETURNING id', pg_temp.u(3)), 1)
) AS w (what, n, sql, n_rows);
SELECT pg_temp.refuse_as('making oneself admin', pg_temp.u(3),
    format('INSERT INTO auth.user_roles (user_id, role_id) SELECT %L, r.id FROM auth.roles AS r WHERE r.name = ''admin''', pg_temp.u(3)));

-- Sessions: one's own. Tokens of resets and verifications: nobody.
INSERT INTO auth.sessions (id, user_id, token_hash, expires_at)
VALUES (pg_temp.u(1), pg_temp.u(1), 'check-f5c0ffee', now() + INTERVAL '1 day');
SELECT pg_temp.expect_as(w.what, pg_temp.u(w.n), w.n_rows, w.sql)
FROM (VALUES
    ('reading one''s session', 1, 'SELECT FROM auth.sessions AS s WHERE s.token_hash = ''check-f5c0ffee''', 1),
    ('reading another''s session', 2, 'SELECT FROM auth.sessions AS s WHERE s.token_hash = ''check-f5c0ffee''', 0),
    ('an admin reading another''s session', 6, 'SELECT FROM auth.sessions AS s WHERE s.token_hash = ''check-f5c0ffee''', 0),
    ('prolonging one''s session', 1, 'UPDATE auth.sessions SET expires_at = now() WHERE token_hash = ''check-f5c0ffee''', 1),
    ('ending one''s session', 1, 'DELETE FROM auth.sessions WHERE token_hash = ''check-f5c0ffee''', 1),
    ('ending another''s session', 2, 'DELETE FROM auth.sessions WHERE token_hash = ''check-f5c0ffee''', 0),
    ('beginning a session', 3, format('INSERT INTO auth.sessions (user_id, token_hash, expires_at) VALUES (%L, ''check-3'', now()) RETURNING id', pg_temp.u(3)), 1)
) AS w (what, n, sql, n_rows);
SELECT pg_temp.refuse_as('beginning a session for somebody else', pg_temp.u(3),
    format('INSERT INTO auth.sessions (user_id, token_hash, expires_at) VALUES (%L, ''check-4'', now())', pg_temp.u(4)));
SELECT pg_temp.refuse_as('giving one''s session to somebody else', pg_temp.u(1),
    format('UPDATE auth.sessions SET user_id = %L WHERE token_hash = ''check-f5c0ffee''', pg_temp.u(4)));
SELECT pg_temp.refuse_as('reading reset tokens', pg_temp.u(6), 'SELECT FROM auth.password_reset_tokens AS t');
SELECT pg_temp.refuse_as('reading verification tokens', pg_temp.u(6), 'SELECT FROM auth.email_verification_tokens AS t');
SELECT pg_temp.refuse_as('reading the audit log', pg_temp.u(6), 'SELECT FROM audit.audit_log AS l');

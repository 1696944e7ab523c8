-- check: members see the projects of their organization, everybody the public ones; viewers and strangers write none.

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

-- 101 has 201 202 203 205, 102 has 204 206; 203 and 206 are public, 205 was and is deleted.
SELECT pg_temp.expect_as(format('user %s looking for projects', w.n), pg_temp.u(w.n), w.n_rows,
    format('SELECT FROM app.projects AS p WHERE p.id BETWEEN %L AND %L', pg_temp.u(201), pg_temp.u(206)))
FROM (VALUES (1, 5), (3, 5), (4, 5), (5, 3), (6, 6), (7, 2), (8, 2), (9, 2), (10, 2)) AS w (n, n_rows);
SELECT pg_temp.expect_as('nobody looking for projects', NULL, 2,
    format('SELECT FROM app.projects AS p WHERE p.id BETWEEN %L AND %L', pg_temp.u(201), pg_temp.u(206)));

SELECT CASE WHEN w.n_rows IS NULL
    THEN pg_temp.refuse_as(format('user %s making a project in 101', w.n), pg_temp.u(w.n), f.sql)
    ELSE pg_temp.expect_as(format('user %s making a project in 101', w.n), pg_temp.u(w.n), w.n_rows, f.sql) END
FROM (VALUES (1, 1), (2, 1), (3, 1), (4, NULL), (5, NULL), (6, NULL), (7, NULL), (8, NULL), (9, NULL)) AS w (n, n_rows)
CROSS JOIN LATERAL (
    SELECT format('INSERT INTO app.projects (organization_id, name, slug, visibility, created_by) VALUES (%L, ''x'', ''x'', ''public'', %L) RETURNING id',
                  pg_temp.u(101), pg_temp.u(w.n))
) AS f (sql);
SELECT pg_temp.refuse_as('making a project in another''s name', pg_temp.u(3), format(
    'INSERT INTO app.projects (organization_id, name, slug, created_by) VALUES (%L, ''x'', ''x'', %L)', pg_temp.u(101), pg_temp.u(1)));

SELECT pg_temp.expect_as(format('user %s changing the public project of 101', w.n), pg_temp.u(w.n), w.changed,
           format('UPDATE app.projects SET name = ''x'' WHERE id = %L', pg_temp.u(203))),
       pg_temp.expect_as(format('user %s marking it deleted', w.n), pg_temp.u(w.n), w.changed,
           format('UPDATE app.projects SET deleted_at = now() WHERE id = %L', pg_temp.u(203))),
       pg_temp.expect_as(format('user %s deleting it', w.n), pg_temp.u(w.n), w.deleted,
           format('DELETE FROM app.projects WHERE id = %L', pg_temp.u(203)))
FROM (VALUES (1, 1, 1), (2, 1, 1), (3, 1, 0), (4, 0, 0), (5, 0, 0), (6, 0, 0), (7, 0, 0), (8, 0, 0), (9, 0, 0)) AS w (n, changed, deleted);

SELECT pg_temp.refuse_as('moving a project to an organization of others', pg_temp.u(1), format(
    'UPDATE app.projects SET organization_id = %L WHERE id = %L', pg_temp.u(102), pg_temp.u(201)));

-- To one in which they are a viewer: they see it there, and may not write there.
INSERT INTO app.organization_members (organization_id, user_id, role)
VALUES (pg_temp.u(102), pg_temp.u(3), 'viewer');
SELECT pg_temp.refuse_as('moving a project to an organization in which one is a viewer', pg_temp.u(3), format(
    'UPDATE app.projects SET organization_id = %L WHERE id = %L', pg_temp.u(102), pg_temp.u(201)));

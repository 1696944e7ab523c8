-- check: the identity is app.current_user_id; nobody without one, an error with one that is no UUID, and the helpers answer for the caller.

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

SET LOCAL app.current_user_id = '';
DO $$
BEGIN
    IF auth.current_user_id() IS NOT NULL OR auth.has_role('admin') OR app.is_organization_member(pg_temp.u(101))
       OR app.shares_organization(pg_temp.u(1)) OR app.can_write_project(pg_temp.u(203))
       OR NOT app.can_access_project(pg_temp.u(203)) OR app.can_access_project(pg_temp.u(201)) THEN
        RAISE EXCEPTION 'check failed: nobody is somebody, or sees no public project';
    END IF;
END;
$$;

SET LOCAL app.current_user_id = 'nobody';
SELECT pg_temp.must_fail('an identity that is no UUID', '22P02', 'SELECT auth.current_user_id()');

-- What each one is: member of 101?, role there, access to 201 202 203 204 205 206, may write to them, is admin.
DO $$
DECLARE
    v_who RECORD;
    v_found TEXT;
BEGIN
    FOR v_who IN
        SELECT *
        FROM (VALUES
            (1, 'member owner, access 201 202 203 206, write 201 202 203'),
            (2, 'member admin, access 201 202 203 206, write 201 202 203'),
            (3, 'member member, access 201 202 203 206, write 201 202 203'),
            (4, 'member viewer, access 201 202 203 206'),
            (5, 'access 203 204 206, write 204 206'),
            (6, 'access 203 206, admin'),
            (7, 'access 203 206'),
            (8, 'access 203 206'),
            (9, 'access 203 206'),
            (10, 'access 203 206')
        ) AS w (n, what)
    LOOP
        PERFORM set_config('app.current_user_id', pg_temp.u(v_who.n)::TEXT, TRUE);
        v_found := concat_ws(', ',
            CASE WHEN app.is_organization_member(pg_temp.u(101)) THEN 'member ' || app.get_organization_role(pg_temp.u(101)) END,
            'access ' || (SELECT string_agg(g.n::TEXT, ' ' ORDER BY g.n) FROM generate_series(201, 206) AS g (n) WHERE app.can_access_project(pg_temp.u(g.n))),
            'write ' || (SELECT string_agg(g.n::TEXT, ' ' ORDER BY g.n) FROM generate_series(201, 206) AS g (n) WHERE app.can_write_project(pg_temp.u(g.n))),
            CASE WHEN auth.has_role('admin') THEN 'admin' END);
        IF v_found <> v_who.what THEN
            RAISE EXCEPTION 'check failed: user % is "%", not "%"', v_who.n, v_found, v_who.what;
        END IF;
        IF (app.get_organization_role(pg_temp.u(101)) IS NULL) = app.is_organization_member(pg_temp.u(101)) THEN
            RAISE EXCEPTION 'check failed: user % has a role without being a member', v_who.n;
        END IF;
    END LOOP;
END;
$$;

-- Straight into a partition: nobody, were there a right to.
DO $$
DECLARE
    v_partition REGCLASS;
BEGIN
    INSERT INTO app.tasks (id, project_id, title) VALUES (pg_temp.u(1), pg_temp.u(203), 'Check') RETURNING tableoid INTO v_partition;
    PERFORM pg_temp.expect_as('a task of a public project', NULL, 1, format('SELECT FROM app.tasks AS t WHERE t.id = %L', pg_temp.u(1)));
    PERFORM pg_temp.refuse_as('a partition of tasks', pg_temp.u(1), format('SELECT FROM %s AS t', v_partition));
    EXECUTE format('GRANT SELECT ON %s TO fsm_app', v_partition);
    PERFORM pg_temp.expect_as('a partition of tasks with a right to it', pg_temp.u(1), 0, format('SELECT FROM %s AS t', v_partition));
END;
$$;

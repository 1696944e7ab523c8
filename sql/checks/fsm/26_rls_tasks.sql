-- check: who sees a project sees its tasks; who writes to it makes them; assignee, reporter, owner and admins change them; a task is not carried into a project of others.

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

-- A task 30n in each project 20n; 301 and 303 assigned to the member 3, reported by 2; 313 in the public project
-- assigned to the stranger 9, 311 in the private one to the viewer 4.
INSERT INTO app.tasks (id, project_id, title, assignee_id, reporter_id)
SELECT pg_temp.u(v.id), pg_temp.u(v.project_id), 'Check', pg_temp.u(v.assignee_id), pg_temp.u(2)
FROM (VALUES (301, 201, 3), (302, 202, NULL), (303, 203, 3), (304, 204, NULL), (305, 205, NULL), (306, 206, NULL), (311, 201, 4), (313, 203, 9))
    AS v (id, project_id, assignee_id);

SELECT pg_temp.expect_as(format('user %s looking for tasks', w.n), pg_temp.u(w.n), w.n_rows,
    format('SELECT FROM app.tasks AS t WHERE t.id BETWEEN %L AND %L', pg_temp.u(301), pg_temp.u(399)))
FROM (VALUES (1, 6), (3, 6), (4, 6), (5, 4), (6, 8), (7, 3), (8, 3), (9, 3), (10, 3)) AS w (n, n_rows);
SELECT pg_temp.expect_as('nobody looking for tasks', NULL, 3,
    format('SELECT FROM app.tasks AS t WHERE t.id BETWEEN %L AND %L', pg_temp.u(301), pg_temp.u(399)));

-- In the private project, and in the public one, which everybody sees.
SELECT CASE WHEN w.allowed
    THEN pg_temp.expect_as(format('user %s making a task in %s', w.n, p.id), pg_temp.u(w.n), 1, f.sql)
    ELSE pg_temp.refuse_as(format('user %s making a task in %s', w.n, p.id), pg_temp.u(w.n), f.sql) END
FROM (VALUES (1, TRUE), (2, TRUE), (3, TRUE), (4, FALSE), (5, FALSE), (6, FALSE), (7, FALSE), (8, FALSE), (9, FALSE)) AS w (n, allowed)
CROSS JOIN (VALUES (201), (203)) AS p (id)
CROSS JOIN LATERAL (
    SELECT format('INSERT INTO app.tasks (project_id, title, reporter_id) VALUES (%L, ''x'', %L) RETURNING id', pg_temp.u(p.id), pg_temp.u(w.n))
) AS f (sql);
SELECT pg_temp.refuse_as('making a task in a deleted project', pg_temp.u(1), format(
    'INSERT INTO app.tasks (project_id, title, reporter_id) VALUES (%L, ''x'', %L)', pg_temp.u(205), pg_temp.u(1)));
SELECT pg_temp.refuse_as('making a task in another''s name', pg_temp.u(3), format(
    'INSERT INTO app.tasks (project_id, title, reporter_id) VALUES (%L, ''x'', %L)', pg_temp.u(201), pg_temp.u(2)));
SELECT pg_temp.refuse_as('nobody making a task in a public project', NULL, format(
    'INSERT INTO app.tasks (project_id, title) VALUES (%L, ''x'')', pg_temp.u(203)));

SELECT pg_temp.expect_as(format('user %s changing task %s', w.n, w.task), pg_temp.u(w.n), w.changed,
           format('UPDATE app.tasks SET status = ''done'' WHERE id = %L', pg_temp.u(w.task))),
       pg_temp.expect_as(format('user %s deleting task %s', w.n, w.task), pg_temp.u(w.n), w.deleted,
           format('DELETE FROM app.tasks WHERE id = %L', pg_temp.u(w.task)))
FROM (VALUES
    (1, 301, 1, 1),  -- owner
    (2, 301, 1, 1),  -- admin and reporter
    (3, 301, 1, 0),  -- assignee
    (3, 302, 0, 0),  -- member with no part in it
    (4, 301, 0, 0),  -- viewer with no part in it
    (4, 311, 1, 0),  -- viewer to whom it is assigned
    (5, 301, 0, 0),  -- stranger
    (9, 313, 1, 0),  -- stranger to whom a task of a public project is assigned
    (9, 303, 0, 0),  -- stranger with no part in it
    (7, 301, 0, 0)   -- not yet a member
) AS w (n, task, changed, deleted);

-- Handing on: members may, others may not put the task into hands that are not theirs.
SELECT pg_temp.expect_as('an assignee handing the task on', pg_temp.u(3), 1, format(
    'UPDATE app.tasks SET assignee_id = %L WHERE id = %L', pg_temp.u(1), pg_temp.u(301)));
SELECT pg_temp.refuse_as('a stranger handing the task on', pg_temp.u(9), format(
    'UPDATE app.tasks SET assignee_id = %L WHERE id = %L', pg_temp.u(5), pg_temp.u(313)));

SELECT pg_temp.expect_as('a member moving a task within the organization', pg_temp.u(3), 1, format(
    'UPDATE app.tasks SET project_id = %L WHERE id = %L', pg_temp.u(202), pg_temp.u(301)));
SELECT pg_temp.refuse_as(w.what, pg_temp.u(w.n), format('UPDATE app.tasks SET project_id = %L WHERE id = %L', pg_temp.u(w.project), pg_temp.u(w.task)))
FROM (VALUES
    ('a member moving a task to a public project of others', 3, 301, 206),
    ('a member moving a task to a private project of others', 3, 301, 204),
    ('a stranger moving an assigned task to another public project', 9, 313, 206),
    ('an owner moving a task to a project of others', 1, 301, 206)
) AS w (what, n, task, project);

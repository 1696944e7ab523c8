-- check: everybody reads their own notifications and marks them read, nobody sends any as fsm_app; events are written by all and read by none.

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

INSERT INTO app.notifications (id, user_id, type, title)
VALUES (pg_temp.u(1), pg_temp.u(1), 'check', 'for 1'), (pg_temp.u(2), pg_temp.u(2), 'check', 'for 2');

SELECT pg_temp.expect_as(format('user %s looking for notifications', w.n), pg_temp.u(w.n), w.n_rows, 'SELECT FROM app.notifications AS n WHERE n.type = ''check''')
FROM (VALUES (1, 1), (2, 1), (3, 0), (6, 0)) AS w (n, n_rows);
SELECT pg_temp.expect_as('nobody looking for notifications', NULL, 0, 'SELECT FROM app.notifications AS n');

SELECT pg_temp.expect_as(format('user %s reading notification %s', w.n, w.target), pg_temp.u(w.n), w.n_rows,
    format('UPDATE app.notifications SET is_read = TRUE, read_at = now() WHERE id = %L', pg_temp.u(w.target)))
FROM (VALUES (1, 1, 1), (1, 2, 0), (6, 1, 0)) AS w (n, target, n_rows);

SELECT pg_temp.refuse_as(w.what, pg_temp.u(1), w.sql)
FROM (VALUES
    ('sending a notification', format('INSERT INTO app.notifications (user_id, type, title) VALUES (%L, ''check'', ''x'')', pg_temp.u(1))),
    ('giving one''s notification to somebody else', format('UPDATE app.notifications SET user_id = %L', pg_temp.u(2))),
    ('rewriting one''s notification', 'UPDATE app.notifications SET title = ''x'''),
    ('deleting one''s notification', 'DELETE FROM app.notifications'),
    ('reading events', 'SELECT FROM analytics.events AS e'),
    ('reading page views', 'SELECT FROM analytics.page_views AS v'),
    ('reading statistics of projects', 'SELECT FROM analytics.project_stats AS s'),
    ('reading statistics of users', 'SELECT FROM analytics.user_activity_stats AS s')
) AS w (what, sql);

-- Were the right to the column given, the policy would still hold.
GRANT UPDATE (user_id) ON app.notifications TO fsm_app;
SELECT pg_temp.refuse_as('giving one''s notification to somebody else, with a right to the column', pg_temp.u(1),
    format('UPDATE app.notifications SET user_id = %L', pg_temp.u(2)));

SELECT pg_temp.expect_as('writing an event', pg_temp.u(1), 1, format('INSERT INTO analytics.events (event_type, user_id) VALUES (''check'', %L)', pg_temp.u(1)));
SELECT pg_temp.expect_as('nobody writing a page view', NULL, 1, 'INSERT INTO analytics.page_views (url) VALUES (''/check'')');

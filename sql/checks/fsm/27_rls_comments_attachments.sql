-- check: who sees a task sees and writes comments and attachments on it, in their own name; everybody changes and deletes their own.

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

INSERT INTO app.tasks (id, project_id, title)
SELECT pg_temp.u(100 + p.n), pg_temp.u(p.n), 'Check'
FROM generate_series(201, 206) AS p (n);
INSERT INTO app.comments (id, task_id, user_id, content)
VALUES
    (pg_temp.u(401), pg_temp.u(301), pg_temp.u(3), 'private, by the member'),
    (pg_temp.u(403), pg_temp.u(303), pg_temp.u(9), 'public, by a stranger'),
    (pg_temp.u(404), pg_temp.u(304), pg_temp.u(5), 'of others');
INSERT INTO app.attachments (id, task_id, comment_id, uploaded_by, file_name, file_size, mime_type, storage_path)
SELECT pg_temp.u(v.id), pg_temp.u(v.task_id), pg_temp.u(v.comment_id), pg_temp.u(v.uploaded_by), 'f', 1, 'm', 'p'
FROM (VALUES (501, 301, NULL, 3), (502, NULL, 401, 3), (503, 303, NULL, 9), (504, 304, NULL, 5), (505, NULL, 404, 5))
    AS v (id, task_id, comment_id, uploaded_by);

SELECT pg_temp.expect_as(format('user %s looking for comments', w.n), pg_temp.u(w.n), w.comments,
           format('SELECT FROM app.comments AS c WHERE c.id BETWEEN %L AND %L', pg_temp.u(401), pg_temp.u(499))),
       pg_temp.expect_as(format('user %s looking for attachments', w.n), pg_temp.u(w.n), w.attachments,
           format('SELECT FROM app.attachments AS a WHERE a.id BETWEEN %L AND %L', pg_temp.u(501), pg_temp.u(599)))
FROM (VALUES (1, 2, 3), (3, 2, 3), (4, 2, 3), (5, 2, 3), (6, 3, 5), (7, 1, 1), (8, 1, 1), (9, 1, 1)) AS w (n, comments, attachments);
SELECT pg_temp.expect_as('nobody looking for comments', NULL, 1,
    format('SELECT FROM app.comments AS c WHERE c.id BETWEEN %L AND %L', pg_temp.u(401), pg_temp.u(499)));

-- Writing on the private task 301, the public 303, and 304 of others.
SELECT CASE WHEN s.allowed
    THEN pg_temp.expect_as(format('user %s writing a comment on %s', w.n, s.task), pg_temp.u(w.n), 1, f.comment)
    ELSE pg_temp.refuse_as(format('user %s writing a comment on %s', w.n, s.task), pg_temp.u(w.n), f.comment) END,
       CASE WHEN s.allowed
    THEN pg_temp.expect_as(format('user %s attaching to %s', w.n, s.task), pg_temp.u(w.n), 1, f.attachment)
    ELSE pg_temp.refuse_as(format('user %s attaching to %s', w.n, s.task), pg_temp.u(w.n), f.attachment) END
FROM (VALUES (1, '301 303'), (4, '301 303'), (5, '303 304'), (7, '303'), (8, '303'), (9, '303')) AS w (n, tasks)
CROSS JOIN LATERAL (SELECT t.n, t.n::TEXT = ANY (string_to_array(w.tasks, ' ')) FROM (VALUES (301), (303), (304)) AS t (n)) AS s (task, allowed)
CROSS JOIN LATERAL (
    SELECT format('INSERT INTO app.comments (task_id, user_id, content) VALUES (%L, %L, ''x'') RETURNING id', pg_temp.u(s.task), pg_temp.u(w.n)),
           format('INSERT INTO app.attachments (task_id, uploaded_by, file_name, file_size, mime_type, storage_path) VALUES (%L, %L, ''f'', 1, ''m'', ''p'') RETURNING id', pg_temp.u(s.task), pg_temp.u(w.n))
) AS f (comment, attachment);

SELECT pg_temp.refuse_as(w.what, pg_temp.u(w.n), w.sql)
FROM (VALUES
    ('a comment in another''s name', 3, format('INSERT INTO app.comments (task_id, user_id, content) VALUES (%L, %L, ''x'')', pg_temp.u(301), pg_temp.u(1))),
    ('an attachment in another''s name', 3, format('INSERT INTO app.attachments (task_id, uploaded_by, file_name, file_size, mime_type, storage_path) VALUES (%L, %L, ''f'', 1, ''m'', ''p'')', pg_temp.u(301), pg_temp.u(1))),
    ('an attachment of a comment of others', 3, format('INSERT INTO app.attachments (comment_id, uploaded_by, file_name, file_size, mime_type, storage_path) VALUES (%L, %L, ''f'', 1, ''m'', ''p'')', pg_temp.u(404), pg_temp.u(3))),
    ('an attachment of one''s task and a comment of others', 3, format('INSERT INTO app.attachments (task_id, comment_id, uploaded_by, file_name, file_size, mime_type, storage_path) VALUES (%L, %L, %L, ''f'', 1, ''m'', ''p'')', pg_temp.u(301), pg_temp.u(404), pg_temp.u(3))),
    ('moving one''s comment to a task of others', 3, format('UPDATE app.comments SET task_id = %L WHERE id = %L', pg_temp.u(304), pg_temp.u(401))),
    -- Without WHERE the server reads no column, and asks no policy for SELECT.
    ('moving all one''s comments to a task of others', 3, format('UPDATE app.comments SET task_id = %L', pg_temp.u(304))),
    ('giving all one''s comments to somebody else', 3, format('UPDATE app.comments SET user_id = %L', pg_temp.u(1))),
    ('moving all one''s attachments to a task of others', 3, format('UPDATE app.attachments SET task_id = %L', pg_temp.u(304))),
    ('giving one''s comment to somebody else', 3, format('UPDATE app.comments SET user_id = %L WHERE id = %L', pg_temp.u(1), pg_temp.u(401))),
    ('moving one''s attachment to a task of others', 3, format('UPDATE app.attachments SET task_id = %L WHERE id = %L', pg_temp.u(304), pg_temp.u(501))),
    ('giving one''s attachment to somebody else', 3, format('UPDATE app.attachments SET uploaded_by = %L WHERE id = %L', pg_temp.u(1), pg_temp.u(501)))
) AS w (what, n, sql);

SELECT pg_temp.expect_as(format('user %s: %s', w.n, f.sql), pg_temp.u(w.n), f.n_rows, f.sql)
FROM (VALUES (1, 0, 0), (2, 0, 0), (3, 1, 1), (4, 0, 0), (5, 0, 0), (6, 0, 1)) AS w (n, changed, deleted)
CROSS JOIN LATERAL (VALUES
    (format('UPDATE app.comments SET content = ''x'', is_edited = TRUE WHERE id = %L', pg_temp.u(401)), w.changed),
    (format('DELETE FROM app.comments WHERE id = %L', pg_temp.u(401)), w.deleted),
    (format('UPDATE app.attachments SET file_name = ''x'' WHERE id = %L', pg_temp.u(501)), w.changed),
    (format('DELETE FROM app.attachments WHERE id = %L', pg_temp.u(501)), w.deleted)
) AS f (sql, n_rows);

-- A task takes comments of others along, whoever may delete it.
SELECT pg_temp.rows_as(pg_temp.u(1), format('DELETE FROM app.tasks WHERE id = %L', pg_temp.u(301)));
DO $$
BEGIN
    IF EXISTS (SELECT FROM app.comments AS c WHERE c.id = pg_temp.u(401))
       OR EXISTS (SELECT FROM app.attachments AS a WHERE a.id IN (pg_temp.u(501), pg_temp.u(502))) THEN
        RAISE EXCEPTION 'check failed: an owner deletes a task, and comments of others stay';
    END IF;
END;
$$;

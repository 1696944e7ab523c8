-- check: comments, attachments and subtasks point to tasks that exist, in any month, and go or come free with their task.

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

SELECT public.ensure_range_partitions('app.tasks', 'month', '1999-01-01 00:00:00+00', '1999-03-01 00:00:00+00');

INSERT INTO auth.users (id, email, password_hash)
VALUES (pg_temp.u(1), 'check-1@fsm.invalid', 'hash');
INSERT INTO app.organizations (id, name, slug)
VALUES (pg_temp.u(1), 'Check', 'check-f5c0ffee');
INSERT INTO app.projects (id, organization_id, name, slug)
VALUES (pg_temp.u(1), pg_temp.u(1), 'Check', 'check');
INSERT INTO app.tasks (id, project_id, title, created_at)
VALUES
    (pg_temp.u(1), pg_temp.u(1), 'old', '1999-01-15 00:00:00+00'),
    (pg_temp.u(2), pg_temp.u(1), 'of today', now()),
    (pg_temp.u(3), pg_temp.u(1), 'stays', now());
INSERT INTO app.tasks (id, project_id, parent_task_id, title)
VALUES (pg_temp.u(4), pg_temp.u(1), pg_temp.u(1), 'a part of the old one');
INSERT INTO app.comments (id, task_id, user_id, content)
VALUES
    (pg_temp.u(1), pg_temp.u(1), pg_temp.u(1), 'on the old one'),
    (pg_temp.u(2), pg_temp.u(2), pg_temp.u(1), 'on that of today'),
    (pg_temp.u(3), pg_temp.u(3), pg_temp.u(1), 'stays');
INSERT INTO app.attachments (id, task_id, comment_id, uploaded_by, file_name, file_size, mime_type, storage_path)
VALUES
    (pg_temp.u(1), pg_temp.u(1), NULL, pg_temp.u(1), 'f', 1, 'm', 'p'),
    (pg_temp.u(2), NULL, pg_temp.u(2), pg_temp.u(1), 'f', 1, 'm', 'p'),
    (pg_temp.u(3), pg_temp.u(3), NULL, pg_temp.u(1), 'f', 1, 'm', 'p');

SELECT pg_temp.must_fail(f.what, '23503', replace(replace(f.sql, ':u1', quote_literal(pg_temp.u(1))), ':u9', quote_literal(pg_temp.u(9))))
FROM (VALUES
    ('a comment on no task', 'INSERT INTO app.comments (task_id, user_id, content) VALUES (:u9, :u1, ''x'')'),
    ('a comment moved to no task', 'UPDATE app.comments SET task_id = :u9 WHERE id = :u1'),
    ('an attachment of no task', 'INSERT INTO app.attachments (task_id, uploaded_by, file_name, file_size, mime_type, storage_path) VALUES (:u9, :u1, ''f'', 1, ''m'', ''p'')'),
    ('an attachment moved to no task', 'UPDATE app.attachments SET task_id = :u9 WHERE id = :u1'),
    ('a part of no task', 'INSERT INTO app.tasks (project_id, parent_task_id, title) VALUES (:u1, :u9, ''x'')'),
    ('a task made a part of no task', 'UPDATE app.tasks SET parent_task_id = :u9 WHERE id = :u1')
) AS f (what, sql);

CREATE FUNCTION pg_temp.left_over()
RETURNS TEXT
LANGUAGE sql
AS $$
    SELECT concat_ws('; ',
        (SELECT 'comments ' || string_agg(right(c.id::TEXT, 1), ' ' ORDER BY c.id) FROM app.comments AS c WHERE c.id BETWEEN pg_temp.u(1) AND pg_temp.u(9)),
        (SELECT 'attachments ' || string_agg(right(a.id::TEXT, 1), ' ' ORDER BY a.id) FROM app.attachments AS a WHERE a.id BETWEEN pg_temp.u(1) AND pg_temp.u(9)),
        (SELECT 'parent ' || COALESCE(right(t.parent_task_id::TEXT, 1), 'none') FROM app.tasks AS t WHERE t.id = pg_temp.u(4)))
$$;

CREATE FUNCTION pg_temp.expect(p_what TEXT, p_left_over TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    IF pg_temp.left_over() IS DISTINCT FROM p_left_over THEN
        RAISE EXCEPTION 'check failed: % leaves %, not %', p_what, pg_temp.left_over(), p_left_over;
    END IF;
END;
$$;

-- The server moves the row to another partition as a deletion and an insertion.
UPDATE app.tasks
SET created_at = '1999-02-15 00:00:00+00'
WHERE id = pg_temp.u(1);
SELECT pg_temp.expect('moving a task to another month', 'comments 1 2 3; attachments 1 2 3; parent 1');

DELETE FROM app.tasks
WHERE id = pg_temp.u(1);
SELECT pg_temp.expect('deleting a task', 'comments 2 3; attachments 2 3; parent none');

DELETE FROM app.tasks
WHERE id = pg_temp.u(2);
SELECT pg_temp.expect('deleting a task with an attachment of its comment', 'comments 3; attachments 3; parent none');

-- The project takes its tasks along, and they what hangs on them.
DELETE FROM app.projects
WHERE id = pg_temp.u(1);
DO $$
BEGIN
    IF EXISTS (SELECT FROM app.tasks AS t WHERE t.project_id = pg_temp.u(1)) OR pg_temp.left_over() <> '' THEN
        RAISE EXCEPTION 'check failed: deleting a project leaves tasks; %', pg_temp.left_over();
    END IF;
END;
$$;

-- check: when tasks expire, their comments and attachments go too and their subtasks stay; what somebody else's DROP left over is purged in batches.

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
    (pg_temp.u(1), pg_temp.u(1), 'expires', '1999-01-15 00:00:00+00'),
    (pg_temp.u(2), pg_temp.u(1), 'expires', '1999-02-15 00:00:00+00'),
    (pg_temp.u(3), pg_temp.u(1), 'stays', now());
INSERT INTO app.tasks (id, project_id, parent_task_id, title)
VALUES
    (pg_temp.u(4), pg_temp.u(1), pg_temp.u(1), 'part of what expires'),
    (pg_temp.u(5), pg_temp.u(1), pg_temp.u(3), 'part of what stays');
INSERT INTO app.comments (id, task_id, user_id, content)
SELECT pg_temp.u(g.n), pg_temp.u(1 + g.n % 3), pg_temp.u(1), 'Check'
FROM generate_series(1, 9) AS g (n);
INSERT INTO app.attachments (id, task_id, uploaded_by, file_name, file_size, mime_type, storage_path)
SELECT pg_temp.u(g.n), pg_temp.u(1 + g.n % 3), pg_temp.u(1), 'f', 1, 'm', 'p'
FROM generate_series(1, 9) AS g (n);
INSERT INTO app.attachments (id, comment_id, uploaded_by, file_name, file_size, mime_type, storage_path)
SELECT pg_temp.u(10 + g.n), pg_temp.u(g.n), pg_temp.u(1), 'f', 1, 'm', 'p'
FROM generate_series(1, 9) AS g (n);

SELECT public.drop_old_partitions('app', 'tasks', 24);

DO $$
DECLARE
    v_left TEXT := format('%s comments, %s attachments, parents %s',
        (SELECT count(*) FROM app.comments AS c WHERE c.user_id = pg_temp.u(1)),
        (SELECT count(*) FROM app.attachments AS a WHERE a.uploaded_by = pg_temp.u(1)),
        (SELECT string_agg(COALESCE(right(t.parent_task_id::TEXT, 1), 'none'), ' ' ORDER BY t.id)
         FROM app.tasks AS t WHERE t.id IN (pg_temp.u(4), pg_temp.u(5))));
BEGIN
    IF EXISTS (SELECT FROM app.tasks AS t WHERE t.title = 'expires' AND t.project_id = pg_temp.u(1)) THEN
        RAISE EXCEPTION 'check failed: tasks of 1999 are there';
    END IF;
    IF v_left <> '3 comments, 6 attachments, parents none 3' THEN
        RAISE EXCEPTION 'check failed: expired tasks leave %', v_left;
    END IF;
END;
$$;

-- Somebody drops a partition by hand.
SELECT public.ensure_range_partitions('app.tasks', 'month', '1999-01-01 00:00:00+00', '1999-02-01 00:00:00+00');
INSERT INTO app.tasks (id, project_id, title, created_at)
VALUES (pg_temp.u(6), pg_temp.u(1), 'dropped', '1999-01-15 00:00:00+00');
INSERT INTO app.comments (task_id, user_id, content)
SELECT pg_temp.u(6), pg_temp.u(1), 'Check'
FROM generate_series(1, 5);
INSERT INTO app.attachments (task_id, uploaded_by, file_name, file_size, mime_type, storage_path)
SELECT pg_temp.u(6), pg_temp.u(1), 'f', 1, 'm', 'p'
FROM generate_series(1, 3);
DROP TABLE app.tasks_1999_01;

DO $$
DECLARE
    v_purged BIGINT;
    v_calls INTEGER := 0;
BEGIN
    v_purged := app.purge_task_children(2);
    IF v_purged NOT BETWEEN 1 AND 4 THEN
        RAISE EXCEPTION 'check failed: at most 2 of each kind are %', v_purged;
    END IF;
    WHILE v_purged > 0 LOOP
        v_calls := v_calls + 1;
        v_purged := app.purge_task_children(1000);
    END LOOP;

    IF (SELECT count(*) FROM app.comments AS c WHERE c.user_id = pg_temp.u(1)) <> 3
       OR (SELECT count(*) FROM app.attachments AS a WHERE a.uploaded_by = pg_temp.u(1)) <> 6 THEN
        RAISE EXCEPTION 'check failed: after the purge % comments and % attachments are there, not 3 and 6',
            (SELECT count(*) FROM app.comments AS c WHERE c.user_id = pg_temp.u(1)),
            (SELECT count(*) FROM app.attachments AS a WHERE a.uploaded_by = pg_temp.u(1));
    END IF;
    IF v_calls < 2 THEN
        RAISE EXCEPTION 'check failed: the first batch took all';
    END IF;
END;
$$;

SELECT pg_temp.must_fail('batches of 0 rows', '22023', 'SELECT app.purge_task_children(0)');
SELECT pg_temp.must_fail('batches of NULL rows', '22023', 'SELECT app.purge_task_children(NULL)');

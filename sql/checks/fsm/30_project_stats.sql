-- check: project_stats counts the tasks of each project once, without deleted ones, and is refreshed CONCURRENTLY.

-- An id of this check: no other row has it.
CREATE FUNCTION pg_temp.u(p_n INTEGER)
RETURNS UUID
LANGUAGE sql
AS $$ SELECT ('f5c0ffee-0000-4000-8000-' || lpad(p_n::TEXT, 12, '0'))::UUID $$;

INSERT INTO app.organizations (id, name, slug)
VALUES (pg_temp.u(1), 'Check', 'check-f5c0ffee');
INSERT INTO app.projects (id, organization_id, name, slug, deleted_at)
VALUES
    (pg_temp.u(1), pg_temp.u(1), 'Check', 'check', NULL),
    (pg_temp.u(2), pg_temp.u(1), 'without tasks', 'check-2', NULL),
    (pg_temp.u(3), pg_temp.u(1), 'deleted', 'check-3', now());
INSERT INTO app.tasks (project_id, title, status, created_at, completed_at, updated_at, deleted_at)
SELECT pg_temp.u(1), 'Check', v.status, now(), now() + v.took, now() + v.updated, v.deleted_at
FROM (VALUES
    ('done', INTERVAL '2 hours', INTERVAL '1 hour', NULL),
    ('done', INTERVAL '4 hours', INTERVAL '5 hours', NULL),
    ('done', NULL, INTERVAL '1 hour', NULL),
    ('in_progress', INTERVAL '100 hours', INTERVAL '2 hours', NULL),
    ('todo', NULL, INTERVAL '3 hours', NULL),
    ('blocked', NULL, INTERVAL '4 hours', NULL),
    ('done', INTERVAL '1000 hours', INTERVAL '9 hours', now())
) AS v (status, took, updated, deleted_at);

REFRESH MATERIALIZED VIEW CONCURRENTLY analytics.project_stats;

DO $$
DECLARE
    v_stats analytics.project_stats;
BEGIN
    SELECT * INTO STRICT v_stats FROM analytics.project_stats AS s WHERE s.project_id = pg_temp.u(1);
    IF (v_stats.project_name, v_stats.organization_id, v_stats.total_tasks, v_stats.completed_tasks, v_stats.in_progress_tasks,
        v_stats.todo_tasks, round(v_stats.avg_completion_time_hours, 6), v_stats.last_activity_at)
       IS DISTINCT FROM ('Check'::VARCHAR, pg_temp.u(1), 6::BIGINT, 3::BIGINT, 1::BIGINT, 1::BIGINT, 3.000000, now() + INTERVAL '5 hours') THEN
        RAISE EXCEPTION 'check failed: the statistics of a project are %', v_stats;
    END IF;

    SELECT * INTO STRICT v_stats FROM analytics.project_stats AS s WHERE s.project_id = pg_temp.u(2);
    IF (v_stats.total_tasks, v_stats.avg_completion_time_hours) IS DISTINCT FROM (0::BIGINT, NULL::NUMERIC) THEN
        RAISE EXCEPTION 'check failed: the statistics of a project without tasks are %', v_stats;
    END IF;

    IF EXISTS (SELECT FROM analytics.project_stats AS s WHERE s.project_id = pg_temp.u(3)) THEN
        RAISE EXCEPTION 'check failed: a deleted project has statistics';
    END IF;
END;
$$;

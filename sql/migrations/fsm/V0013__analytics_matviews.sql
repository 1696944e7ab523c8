-- fsm V0013: statistics of projects and users, refreshed from time to time:
--            REFRESH MATERIALIZED VIEW CONCURRENTLY analytics.project_stats.
-- Lock: none that anybody could wait for; the views are new.
--
-- Row level security does not hold for what a materialized view has stored: fsm_app gets no right on either.

CREATE MATERIALIZED VIEW analytics.project_stats AS
SELECT
    p.id AS project_id,
    p.name AS project_name,
    p.organization_id,
    count(t.id) AS total_tasks,
    count(t.id) FILTER (WHERE t.status = 'done') AS completed_tasks,
    count(t.id) FILTER (WHERE t.status = 'in_progress') AS in_progress_tasks,
    count(t.id) FILTER (WHERE t.status = 'todo') AS todo_tasks,
    avg(EXTRACT(EPOCH FROM (t.completed_at - t.created_at)) / 3600)
        FILTER (WHERE t.status = 'done' AND t.completed_at IS NOT NULL) AS avg_completion_time_hours,
    max(t.updated_at) AS last_activity_at
FROM app.projects AS p
LEFT JOIN app.tasks AS t ON t.project_id = p.id AND t.deleted_at IS NULL
WHERE p.deleted_at IS NULL
GROUP BY p.id, p.name, p.organization_id;

CREATE UNIQUE INDEX project_stats_project_id_idx ON analytics.project_stats (project_id);

-- Tasks and comments are counted apart, then joined: joined first, each task would be there once for each comment.
-- Days are days at UTC, whatever time zone the session has that refreshes.
CREATE MATERIALIZED VIEW analytics.user_activity_stats AS
SELECT
    u.id AS user_id,
    u.email,
    COALESCE(t.tasks_assigned, 0) AS tasks_assigned,
    COALESCE(t.tasks_completed, 0) AS tasks_completed,
    COALESCE(c.comments_created, 0) AS comments_created,
    u.last_login_at,
    COALESCE(c.active_days, 0) AS active_days_last_30
FROM auth.users AS u
LEFT JOIN (
    SELECT
        a.assignee_id,
        count(*) AS tasks_assigned,
        count(*) FILTER (WHERE a.status = 'done') AS tasks_completed
    FROM app.tasks AS a
    WHERE a.deleted_at IS NULL
    GROUP BY a.assignee_id
) AS t ON t.assignee_id = u.id
LEFT JOIN (
    SELECT
        w.user_id,
        count(*) AS comments_created,
        count(DISTINCT (w.created_at AT TIME ZONE 'UTC')::DATE) AS active_days
    FROM app.comments AS w
    WHERE w.deleted_at IS NULL
      AND w.created_at > now() - INTERVAL '30 days'
    GROUP BY w.user_id
) AS c ON c.user_id = u.id
WHERE u.deleted_at IS NULL;

CREATE UNIQUE INDEX user_activity_stats_user_id_idx ON analytics.user_activity_stats (user_id);

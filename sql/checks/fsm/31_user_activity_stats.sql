-- check: user_activity_stats counts tasks and comments without multiplying them, days at UTC, and is refreshed CONCURRENTLY.

-- An id of this check: no other row has it.
CREATE FUNCTION pg_temp.u(p_n INTEGER)
RETURNS UUID
LANGUAGE sql
AS $$ SELECT ('f5c0ffee-0000-4000-8000-' || lpad(p_n::TEXT, 12, '0'))::UUID $$;

SET LOCAL TimeZone = 'Pacific/Auckland';

INSERT INTO auth.users (id, email, password_hash, last_login_at, deleted_at)
VALUES
    (pg_temp.u(1), 'check-1@fsm.invalid', 'hash', '2024-02-29 12:00:00+00', NULL),
    (pg_temp.u(2), 'check-2@fsm.invalid', 'hash', NULL, NULL),
    (pg_temp.u(3), 'check-3@fsm.invalid', 'hash', NULL, now());
INSERT INTO app.organizations (id, name, slug)
VALUES (pg_temp.u(1), 'Check', 'check-f5c0ffee');
INSERT INTO app.projects (id, organization_id, name, slug)
VALUES (pg_temp.u(1), pg_temp.u(1), 'Check', 'check');
INSERT INTO app.tasks (id, project_id, title, status, assignee_id, deleted_at)
VALUES
    (pg_temp.u(1), pg_temp.u(1), 'Check', 'done', pg_temp.u(1), NULL),
    (pg_temp.u(2), pg_temp.u(1), 'Check', 'todo', pg_temp.u(1), NULL),
    (pg_temp.u(3), pg_temp.u(1), 'Check', 'done', pg_temp.u(1), now());

-- Two days at UTC, three at Auckland; one too old, one deleted.
INSERT INTO app.comments (task_id, user_id, content, created_at, deleted_at)
SELECT pg_temp.u(1), pg_temp.u(1), 'Check', (date_trunc('day', now() AT TIME ZONE 'UTC') - v.ago) AT TIME ZONE 'UTC', v.deleted_at
FROM (VALUES
    (INTERVAL '2 days' - INTERVAL '1 hour', NULL),
    (INTERVAL '2 days' - INTERVAL '23 hours', NULL),
    (INTERVAL '3 days' - INTERVAL '1 hour', NULL),
    (INTERVAL '31 days', NULL),
    (INTERVAL '5 days', now())
) AS v (ago, deleted_at);

REFRESH MATERIALIZED VIEW CONCURRENTLY analytics.user_activity_stats;

DO $$
DECLARE
    v_stats analytics.user_activity_stats;
BEGIN
    SELECT * INTO STRICT v_stats FROM analytics.user_activity_stats AS s WHERE s.user_id = pg_temp.u(1);
    IF v_stats IS DISTINCT FROM (pg_temp.u(1), 'check-1@fsm.invalid', 2, 1, 3, '2024-02-29 12:00:00+00', 2)::analytics.user_activity_stats THEN
        RAISE EXCEPTION 'check failed: the statistics of a user are %', v_stats;
    END IF;

    SELECT * INTO STRICT v_stats FROM analytics.user_activity_stats AS s WHERE s.user_id = pg_temp.u(2);
    IF v_stats IS DISTINCT FROM (pg_temp.u(2), 'check-2@fsm.invalid', 0, 0, 0, NULL, 0)::analytics.user_activity_stats THEN
        RAISE EXCEPTION 'check failed: the statistics of an idle user are %', v_stats;
    END IF;

    IF EXISTS (SELECT FROM analytics.user_activity_stats AS s WHERE s.user_id = pg_temp.u(3)) THEN
        RAISE EXCEPTION 'check failed: a deleted user has statistics';
    END IF;
END;
$$;

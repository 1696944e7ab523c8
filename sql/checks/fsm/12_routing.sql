-- check: a row lands in the partition of its moment at UTC, the same id may not come twice at one moment, and a moment without a partition is refused.

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

SELECT public.ensure_range_partitions(t.name::REGCLASS, 'month', '1999-01-01 00:00:00+00', '1999-03-01 00:00:00+00')
FROM unnest(ARRAY['app.tasks', 'app.notifications', 'analytics.page_views', 'audit.audit_log']) AS t (name);
SELECT public.ensure_range_partitions('analytics.events', 'day', '1999-01-31 00:00:00+00', '1999-02-02 00:00:00+00');

INSERT INTO auth.users (id, email, password_hash)
VALUES (pg_temp.u(1), 'check-1@fsm.invalid', 'hash');
INSERT INTO app.organizations (id, name, slug)
VALUES (pg_temp.u(1), 'Check', 'check-f5c0ffee');
INSERT INTO app.projects (id, organization_id, name, slug)
VALUES (pg_temp.u(1), pg_temp.u(1), 'Check', 'check');

-- The last moment of January and the first of February; a local clock would put them elsewhere.
CREATE TEMPORARY TABLE moments ON COMMIT DROP AS
SELECT v.at, v.month, v.day
FROM (VALUES
    ('1999-01-31 23:59:59.999999+00'::TIMESTAMPTZ, '_1999_01', '_1999_01_31'),
    ('1999-02-01 00:00:00+00'::TIMESTAMPTZ, '_1999_02', '_1999_02_01')
) AS v (at, month, day);

INSERT INTO app.tasks (project_id, title, created_at) SELECT pg_temp.u(1), 'check-f5c0ffee', m.at FROM moments AS m;
INSERT INTO app.notifications (user_id, type, title, created_at) SELECT pg_temp.u(1), 'check', 'check-f5c0ffee', m.at FROM moments AS m;
INSERT INTO analytics.events (event_type, user_id, created_at) SELECT 'check', pg_temp.u(1), m.at FROM moments AS m;
INSERT INTO analytics.page_views (url, user_id, created_at) SELECT '/check', pg_temp.u(1), m.at FROM moments AS m;
INSERT INTO audit.audit_log (table_name, record_id, action, created_at) SELECT 'check', 'check', 'INSERT', m.at FROM moments AS m;

DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(format('%s in %s', r.at, r.partition), '; ') INTO v_found
    FROM (
        SELECT t.created_at AS at, t.tableoid::REGCLASS::TEXT AS partition, 'app.tasks' || m.month AS want
        FROM app.tasks AS t JOIN moments AS m ON m.at = t.created_at WHERE t.title = 'check-f5c0ffee'
        UNION ALL
        SELECT n.created_at, n.tableoid::REGCLASS::TEXT, 'app.notifications' || m.month
        FROM app.notifications AS n JOIN moments AS m ON m.at = n.created_at WHERE n.user_id = pg_temp.u(1)
        UNION ALL
        SELECT e.created_at, e.tableoid::REGCLASS::TEXT, 'analytics.events' || m.day
        FROM analytics.events AS e JOIN moments AS m ON m.at = e.created_at WHERE e.user_id = pg_temp.u(1)
        UNION ALL
        SELECT v.created_at, v.tableoid::REGCLASS::TEXT, 'analytics.page_views' || m.month
        FROM analytics.page_views AS v JOIN moments AS m ON m.at = v.created_at WHERE v.user_id = pg_temp.u(1)
        UNION ALL
        SELECT l.created_at, l.tableoid::REGCLASS::TEXT, 'audit.audit_log' || m.month
        FROM audit.audit_log AS l JOIN moments AS m ON m.at = l.created_at WHERE l.table_name = 'check'
    ) AS r
    WHERE to_regclass(r.partition) IS DISTINCT FROM to_regclass(r.want);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: rows in the wrong partition: %', v_found;
    END IF;

    IF 2 <> (SELECT count(*) FROM app.tasks AS t WHERE t.title = 'check-f5c0ffee')
       OR 2 <> (SELECT count(*) FROM analytics.events AS e WHERE e.user_id = pg_temp.u(1)) THEN
        RAISE EXCEPTION 'check failed: rows are missing';
    END IF;
END;
$$;

SELECT pg_temp.must_fail('the same notification twice', '23505', format($sql$
    INSERT INTO app.notifications (id, user_id, type, title, created_at)
    VALUES (%1$L, %1$L, 'check', 'x', '1999-01-01 00:00:00+00'), (%1$L, %1$L, 'check', 'x', '1999-01-01 00:00:00+00')
$sql$, pg_temp.u(1)));

SELECT pg_temp.must_fail('a row of 1969 in ' || f.name, '23514', replace(f.sql, ':u1', quote_literal(pg_temp.u(1))))
FROM (VALUES
    ('tasks', 'INSERT INTO app.tasks (project_id, title, created_at) VALUES (:u1, ''x'', ''1969-07-20 20:17:00+00'')'),
    ('notifications', 'INSERT INTO app.notifications (user_id, type, title, created_at) VALUES (:u1, ''x'', ''x'', ''1969-07-20 20:17:00+00'')'),
    ('events', 'INSERT INTO analytics.events (event_type, created_at) VALUES (''x'', ''1969-07-20 20:17:00+00'')'),
    ('page_views', 'INSERT INTO analytics.page_views (url, created_at) VALUES (''x'', ''1969-07-20 20:17:00+00'')'),
    ('audit_log', 'INSERT INTO audit.audit_log (table_name, record_id, action, created_at) VALUES (''x'', ''x'', ''INSERT'', ''1969-07-20 20:17:00+00'')')
) AS f (name, sql);

-- What somebody did stays counted when they are deleted.
DELETE FROM app.organizations WHERE id = pg_temp.u(1);
DELETE FROM auth.users WHERE id = pg_temp.u(1);
DO $$
BEGIN
    IF 2 <> (SELECT count(*) FROM analytics.events AS e WHERE e.event_type = 'check' AND e.user_id IS NULL AND e.created_at < '2000-01-01 00:00:00+00')
       OR EXISTS (SELECT FROM app.notifications AS n WHERE n.user_id = pg_temp.u(1)) THEN
        RAISE EXCEPTION 'check failed: a deleted user''s events are gone, or their notifications are not';
    END IF;
END;
$$;

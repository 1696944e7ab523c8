-- check: maintain_partitions leaves every moment of the next six months with a partition, of the next ninety days for events, and a second run adds none.

CREATE FUNCTION pg_temp.partitions()
RETURNS BIGINT
LANGUAGE sql
AS $$
    SELECT count(*)
    FROM pg_catalog.pg_inherits AS i
    WHERE i.inhparent IN (
        'app.tasks'::REGCLASS, 'app.notifications'::REGCLASS, 'analytics.events'::REGCLASS,
        'analytics.page_views'::REGCLASS, 'audit.audit_log'::REGCLASS
    )
$$;

SELECT public.maintain_partitions();

DO $$
DECLARE
    v_month TIMESTAMPTZ := date_trunc('month', now(), 'UTC');
    v_day TIMESTAMPTZ := date_trunc('day', now(), 'UTC');
    v_found TEXT;
    v_partitions BIGINT := pg_temp.partitions();
BEGIN
    SELECT string_agg(format('%s: %s of %s', w.name, c.covered, w.until - w.since), '; ') INTO v_found
    FROM (VALUES
        ('app.tasks', v_month, (v_month AT TIME ZONE 'UTC' + INTERVAL '7 months') AT TIME ZONE 'UTC'),
        ('app.notifications', v_month, (v_month AT TIME ZONE 'UTC' + INTERVAL '7 months') AT TIME ZONE 'UTC'),
        ('analytics.page_views', v_month, (v_month AT TIME ZONE 'UTC' + INTERVAL '7 months') AT TIME ZONE 'UTC'),
        ('audit.audit_log', v_month, (v_month AT TIME ZONE 'UTC' + INTERVAL '7 months') AT TIME ZONE 'UTC'),
        ('analytics.events', v_day, (v_day AT TIME ZONE 'UTC' + INTERVAL '91 days') AT TIME ZONE 'UTC')
    ) AS w (name, since, until)
    CROSS JOIN LATERAL (
        SELECT sum(LEAST(r.upper_bound, w.until) - GREATEST(r.lower_bound, w.since))
        FROM public.list_range_partitions(w.name::REGCLASS) AS r
        WHERE r.lower_bound < w.until
          AND r.upper_bound > w.since
    ) AS c (covered)
    WHERE c.covered IS DISTINCT FROM w.until - w.since;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: time without a partition: %', v_found;
    END IF;

    PERFORM public.maintain_partitions();
    IF pg_temp.partitions() <> v_partitions THEN
        RAISE EXCEPTION 'check failed: a second run changes % partitions to %', v_partitions, pg_temp.partitions();
    END IF;
END;
$$;

-- The planner knows the tables as a whole, not only their partitions: nobody else analyzes them.
DO $$
BEGIN
    INSERT INTO analytics.page_views (url, created_at)
    SELECT '/check', now()
    FROM generate_series(1, 3);
    PERFORM public.maintain_partitions();
    IF NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_stats AS s
        WHERE s.schemaname = 'analytics'
          AND s.tablename = 'page_views'
          AND s.attname = 'url'
          AND s.inherited
    ) THEN
        RAISE EXCEPTION 'check failed: maintain_partitions does not analyze page_views';
    END IF;
END;
$$;

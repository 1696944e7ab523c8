-- check: partitions of tasks and events carry the document's autovacuum settings, which their tables cannot.

SELECT public.ensure_range_partitions('app.tasks', 'month', '4001-01-01 00:00:00+00', '4001-02-01 00:00:00+00');
SELECT public.ensure_range_partitions('analytics.events', 'day', '4001-01-01 00:00:00+00', '4001-01-02 00:00:00+00');
SELECT public.create_partition('analytics.events', 'analytics.events_4001_01_02', '4001-01-02', '4001-01-03');
SELECT public.ensure_range_partitions('app.notifications', 'month', '4001-01-01 00:00:00+00', '4001-02-01 00:00:00+00');

DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(format('%s has %s', w.name, COALESCE(c.reloptions::TEXT, 'none')), '; ') INTO v_found
    FROM (VALUES
        ('app.tasks_4001_01', ARRAY['autovacuum_vacuum_scale_factor=0.1', 'autovacuum_analyze_scale_factor=0.05', 'autovacuum_vacuum_cost_delay=10']),
        ('analytics.events_4001_01_01', ARRAY['autovacuum_vacuum_scale_factor=0.05', 'autovacuum_analyze_scale_factor=0.02', 'autovacuum_vacuum_cost_delay=5']),
        ('analytics.events_4001_01_02', ARRAY['autovacuum_vacuum_scale_factor=0.05', 'autovacuum_analyze_scale_factor=0.02', 'autovacuum_vacuum_cost_delay=5']),
        ('app.notifications_4001_01', NULL)
    ) AS w (name, parameters)
    JOIN pg_catalog.pg_class AS c ON c.oid = to_regclass(w.name)
    WHERE c.reloptions IS DISTINCT FROM w.parameters;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: %', v_found;
    END IF;
END;
$$;

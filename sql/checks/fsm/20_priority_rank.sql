-- check: tasks come out by priority, urgent first, and through the index.

-- An id of this check: no other row has it.
CREATE FUNCTION pg_temp.u(p_n INTEGER)
RETURNS UUID
LANGUAGE sql
AS $$ SELECT ('f5c0ffee-0000-4000-8000-' || lpad(p_n::TEXT, 12, '0'))::UUID $$;

DO $$
BEGIN
    IF ARRAY['urgent', 'high', 'medium', 'low']::TEXT[] IS DISTINCT FROM (
        SELECT array_agg(p.name ORDER BY app.priority_rank(p.name) DESC)
        FROM unnest(ARRAY['low', 'urgent', 'medium', 'high']) AS p (name)
    ) OR app.priority_rank('none') IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: priorities are not in order';
    END IF;
END;
$$;

-- On a table of any size: sequential scans and sorts are only kept out of a plan that can do without.
DO $$
DECLARE
    v_plan TEXT;
BEGIN
    SET LOCAL enable_seqscan = off;
    SET LOCAL enable_sort = off;
    SET LOCAL enable_bitmapscan = off;
    EXECUTE format($sql$
        EXPLAIN (FORMAT JSON)
        SELECT t.id
        FROM app.tasks AS t
        WHERE t.project_id = %L
          AND t.status = 'todo'
          AND t.deleted_at IS NULL
        ORDER BY app.priority_rank(t.priority) DESC
    $sql$, pg_temp.u(1)) INTO v_plan;
    IF v_plan !~ 'project_id_status_priority_rank' OR v_plan ~ '"Node Type": "Sort"' THEN
        RAISE EXCEPTION 'check failed: the tasks of a project by priority are sorted: %', v_plan;
    END IF;
END;
$$;

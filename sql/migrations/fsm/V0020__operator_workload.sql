-- fsm V0020: how much open work each operator has, to be refreshed every five minutes:
--            SELECT public.refresh_operator_workload().
-- Lock: none that anybody could wait for; the view is new.

-- Conditions on the orders stand in ON: in WHERE they would hide operators whose projects have no open order.
CREATE MATERIALIZED VIEW public.operator_workload AS
SELECT
    p.responsible_operator_id AS operator_id,
    count(DISTINCT p.id) AS total_projects,
    count(so.id) AS total_service_orders,
    COALESCE(sum(so.estimated_duration_minutes), 0) AS total_workload_minutes,
    COALESCE(sum(so.estimated_duration_minutes), 0) / 60.0 AS total_workload_hours
FROM public.projects AS p
LEFT JOIN public.service_orders AS so
    ON so.project_id = p.id
    AND so.status NOT IN ('CANCELLED', 'COMPLETED', 'CLOSED')
WHERE p.responsible_operator_id IS NOT NULL
  AND p.status NOT IN ('CANCELLED', 'COMPLETED')
GROUP BY p.responsible_operator_id;

CREATE UNIQUE INDEX idx_operator_workload_operator ON public.operator_workload (operator_id);

-- Readers go on with what was there before. Locks the view in EXCLUSIVE mode: a second refresh waits.
CREATE FUNCTION public.refresh_operator_workload()
RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    REFRESH MATERIALIZED VIEW CONCURRENTLY public.operator_workload;
END;
$$;

REVOKE EXECUTE ON FUNCTION public.refresh_operator_workload() FROM PUBLIC;

GRANT SELECT ON public.operator_workload TO fsm_app;

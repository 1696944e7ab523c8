-- fsm D0020: undoes V0020, the materialized view and its function.
-- Lock: ACCESS EXCLUSIVE on the view, held for catalog changes only.

DROP FUNCTION public.refresh_operator_workload();
DROP MATERIALIZED VIEW public.operator_workload;

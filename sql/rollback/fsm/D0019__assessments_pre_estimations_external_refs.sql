-- fsm D0019: undoes V0019; the rows of the two assessments, sales_pre_estimations and external_reference_mappings are lost.
-- Lock: ACCESS EXCLUSIVE on the tables and on service_orders, held for catalog changes only.

DROP TABLE public.external_reference_mappings;
DROP TABLE public.risk_assessments;
DROP TABLE public.sales_potential_assessments;
DROP TABLE public.sales_pre_estimations;

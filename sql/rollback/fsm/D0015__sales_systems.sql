-- fsm D0015: undoes V0015; the rows of business_unit_sales_systems and sales_systems are lost.
-- Lock: ACCESS EXCLUSIVE on the tables and on business_units, held for catalog changes only.

DROP TABLE public.business_unit_sales_systems;
DROP TABLE public.sales_systems;

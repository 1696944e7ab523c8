-- fsm D0017: undoes V0017; the rows of service_orders are lost.
-- Lock: ACCESS EXCLUSIVE on the tables and on those that the foreign keys point to, held for catalog changes only.

DROP TABLE public.service_orders;

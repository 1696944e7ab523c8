-- fsm D0014: undoes V0014; the rows of stores, business_units and countries are lost.
-- Lock: ACCESS EXCLUSIVE on the tables, held for catalog changes only.

DROP TABLE public.stores;
DROP TABLE public.business_units;
DROP TABLE public.countries;

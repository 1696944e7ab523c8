-- fsm D0018: undoes V0018; the rows of sales_channel_configurations and sales_system_integration_events are lost.
-- Lock: ACCESS EXCLUSIVE on the tables and on those that the foreign keys point to, held for catalog changes only.

DROP TABLE public.sales_system_integration_events;
DROP TABLE public.sales_channel_configurations;

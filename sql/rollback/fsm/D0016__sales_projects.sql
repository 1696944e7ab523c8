-- fsm D0016: undoes V0016; the rows of public.projects and project_ownership_history are lost.
-- Lock: ACCESS EXCLUSIVE on the tables and on those that the foreign keys point to, held for catalog changes only.

DROP TABLE public.project_ownership_history;
DROP TABLE public.projects;
DROP FUNCTION public.log_project_ownership();

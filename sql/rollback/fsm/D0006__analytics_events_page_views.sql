-- fsm D0006: undoes V0006; the rows of events and page_views are lost.
-- Lock: ACCESS EXCLUSIVE on the tables, on auth.users and app.organizations, held for catalog changes only.

DROP TABLE analytics.page_views;
DROP TABLE analytics.events;

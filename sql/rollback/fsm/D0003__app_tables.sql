-- fsm D0003: undoes V0003; the rows of projects, organization_members and organizations are lost.
-- Lock: ACCESS EXCLUSIVE on the tables and on auth.users, held for catalog changes only.

DROP TABLE app.projects;
DROP TABLE app.organization_members;
DROP TABLE app.organizations;

-- fsm D0005: undoes V0005; the rows of notifications are lost.
-- Lock: ACCESS EXCLUSIVE on the table and on auth.users, held for catalog changes only.

DROP TABLE app.notifications;

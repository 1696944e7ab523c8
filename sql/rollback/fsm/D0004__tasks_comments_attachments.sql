-- fsm D0004: undoes V0004; the rows of tasks, comments and attachments are lost.
-- Lock: ACCESS EXCLUSIVE on the tables, on auth.users and app.projects, held for catalog changes only.

DROP TABLE app.attachments;
DROP TABLE app.comments;
DROP TABLE app.tasks;
DROP FUNCTION app.delete_task_children();
DROP FUNCTION app.check_task_exists();

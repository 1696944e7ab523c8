-- fsm D0009: undoes V0009, the triggers. What they wrote stays.
-- Lock: ACCESS EXCLUSIVE on each table that loses a trigger, held for catalog changes only.

DROP TRIGGER audit_projects ON app.projects;
DROP TRIGGER audit_organizations ON app.organizations;
DROP TRIGGER audit_users ON auth.users;
DROP TRIGGER set_timestamp ON app.comments;
DROP TRIGGER set_timestamp ON app.tasks;
DROP TRIGGER set_timestamp ON app.projects;
DROP TRIGGER set_timestamp ON app.organizations;
DROP TRIGGER set_timestamp ON auth.roles;
DROP TRIGGER set_timestamp ON auth.users;
DROP FUNCTION audit.log_changes();
DROP FUNCTION public.trigger_set_timestamp();

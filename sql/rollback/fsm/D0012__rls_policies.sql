-- fsm D0012: undoes V0012: no row level security, and no right of fsm_app on the schemas auth, app and analytics.
--            The role itself stays.
-- Lock: ACCESS EXCLUSIVE on the ten tables, held for catalog changes only.

-- On a table this takes rights on single columns back too.
REVOKE SELECT, INSERT, UPDATE, DELETE
    ON auth.users, auth.roles, auth.user_roles, auth.sessions,
       app.organizations, app.organization_members, app.projects, app.tasks, app.comments, app.attachments,
       app.notifications, analytics.events, analytics.page_views
    FROM fsm_app;
REVOKE USAGE ON SEQUENCE analytics.events_id_seq, analytics.page_views_id_seq FROM fsm_app;
REVOKE USAGE ON SCHEMA auth, app, analytics FROM fsm_app;

DROP TRIGGER guard_task_update ON app.tasks;
DROP FUNCTION app.guard_task_update();
DROP TRIGGER guard_user_update ON auth.users;
DROP FUNCTION auth.guard_user_update();

DROP POLICY notifications_update_policy ON app.notifications;
DROP POLICY notifications_select_policy ON app.notifications;
DROP POLICY attachments_delete_policy ON app.attachments;
DROP POLICY attachments_update_policy ON app.attachments;
DROP POLICY attachments_insert_policy ON app.attachments;
DROP POLICY attachments_select_policy ON app.attachments;
DROP POLICY comments_delete_policy ON app.comments;
DROP POLICY comments_update_policy ON app.comments;
DROP POLICY comments_insert_policy ON app.comments;
DROP POLICY comments_select_policy ON app.comments;
DROP POLICY tasks_delete_policy ON app.tasks;
DROP POLICY tasks_update_policy ON app.tasks;
DROP POLICY tasks_insert_policy ON app.tasks;
DROP POLICY tasks_select_policy ON app.tasks;
DROP POLICY projects_delete_policy ON app.projects;
DROP POLICY projects_update_policy ON app.projects;
DROP POLICY projects_insert_policy ON app.projects;
DROP POLICY projects_select_policy ON app.projects;
DROP POLICY organization_members_delete_policy ON app.organization_members;
DROP POLICY organization_members_update_policy ON app.organization_members;
DROP POLICY organization_members_insert_policy ON app.organization_members;
DROP POLICY organization_members_select_policy ON app.organization_members;
DROP POLICY organizations_delete_policy ON app.organizations;
DROP POLICY organizations_update_policy ON app.organizations;
DROP POLICY organizations_insert_policy ON app.organizations;
DROP POLICY organizations_select_policy ON app.organizations;
DROP POLICY sessions_delete_policy ON auth.sessions;
DROP POLICY sessions_update_policy ON auth.sessions;
DROP POLICY sessions_insert_policy ON auth.sessions;
DROP POLICY sessions_select_policy ON auth.sessions;
DROP POLICY user_roles_delete_policy ON auth.user_roles;
DROP POLICY user_roles_update_policy ON auth.user_roles;
DROP POLICY user_roles_insert_policy ON auth.user_roles;
DROP POLICY user_roles_select_policy ON auth.user_roles;
DROP POLICY users_update_policy ON auth.users;
DROP POLICY users_select_policy ON auth.users;

DO $$
DECLARE
    v_partition REGCLASS;
BEGIN
    FOR v_partition IN
        SELECT i.inhrelid::REGCLASS
        FROM pg_catalog.pg_inherits AS i
        WHERE i.inhparent IN ('app.tasks'::REGCLASS, 'app.notifications'::REGCLASS)
        ORDER BY i.inhparent, i.inhrelid
    LOOP
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', v_partition);
    END LOOP;
END;
$$;

ALTER TABLE app.notifications DISABLE ROW LEVEL SECURITY;
ALTER TABLE app.attachments DISABLE ROW LEVEL SECURITY;
ALTER TABLE app.comments DISABLE ROW LEVEL SECURITY;
ALTER TABLE app.tasks DISABLE ROW LEVEL SECURITY;
ALTER TABLE app.projects DISABLE ROW LEVEL SECURITY;
ALTER TABLE app.organization_members DISABLE ROW LEVEL SECURITY;
ALTER TABLE app.organizations DISABLE ROW LEVEL SECURITY;
ALTER TABLE auth.sessions DISABLE ROW LEVEL SECURITY;
ALTER TABLE auth.user_roles DISABLE ROW LEVEL SECURITY;
ALTER TABLE auth.users DISABLE ROW LEVEL SECURITY;

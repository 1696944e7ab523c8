-- fsm V0012: row level security of ten tables, and what the role fsm_app may do with all of them.
-- Lock: ACCESS EXCLUSIVE on the ten tables for a change of the catalog; SHARE ROW EXCLUSIVE for two triggers.
--
-- The application logs in as a member of fsm_app and sets app.current_user_id in each transaction. What nobody does in
-- their own name (signing up, signing in, sending notifications, audit, partitions) is done by the owner of the
-- tables, for whom row level security does not hold. Policies name no role: they hold for every other role that is
-- given rights. (SELECT ...) around a helper without a row's value: it runs once for a query, not once for a row.

ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth.user_roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.organization_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.comments ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.attachments ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.notifications ENABLE ROW LEVEL SECURITY;

-- Partitions that exist already; attach_new_partition does it for those to come.
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
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', v_partition);
    END LOOP;
END;
$$;

-- Users: oneself and the people one works with; admins see and change all.
CREATE POLICY users_select_policy ON auth.users
    FOR SELECT
    USING (
        id = (SELECT auth.current_user_id())
        OR (SELECT auth.has_role('admin'))
        OR app.shares_organization(id)
    );

CREATE POLICY users_update_policy ON auth.users
    FOR UPDATE
    USING (id = (SELECT auth.current_user_id()) OR (SELECT auth.has_role('admin')))
    WITH CHECK (id = (SELECT auth.current_user_id()) OR (SELECT auth.has_role('admin')));

-- Role assignments: everybody sees their own, admins manage all.
CREATE POLICY user_roles_select_policy ON auth.user_roles
    FOR SELECT
    USING (user_id = (SELECT auth.current_user_id()) OR (SELECT auth.has_role('admin')));

CREATE POLICY user_roles_insert_policy ON auth.user_roles
    FOR INSERT
    WITH CHECK ((SELECT auth.has_role('admin')));

CREATE POLICY user_roles_update_policy ON auth.user_roles
    FOR UPDATE
    USING ((SELECT auth.has_role('admin')))
    WITH CHECK ((SELECT auth.has_role('admin')));

CREATE POLICY user_roles_delete_policy ON auth.user_roles
    FOR DELETE
    USING ((SELECT auth.has_role('admin')));

-- Sessions: one's own.
CREATE POLICY sessions_select_policy ON auth.sessions
    FOR SELECT
    USING (user_id = (SELECT auth.current_user_id()));

CREATE POLICY sessions_insert_policy ON auth.sessions
    FOR INSERT
    WITH CHECK (user_id = (SELECT auth.current_user_id()));

CREATE POLICY sessions_update_policy ON auth.sessions
    FOR UPDATE
    USING (user_id = (SELECT auth.current_user_id()))
    WITH CHECK (user_id = (SELECT auth.current_user_id()));

CREATE POLICY sessions_delete_policy ON auth.sessions
    FOR DELETE
    USING (user_id = (SELECT auth.current_user_id()));

-- Organizations: whoever creates one sees it, and makes themselves its owner with the first row of members.
CREATE POLICY organizations_select_policy ON app.organizations
    FOR SELECT
    USING (
        app.is_organization_member(id)
        OR (SELECT auth.has_role('admin'))
        OR (created_by = (SELECT auth.current_user_id()) AND NOT app.organization_has_members(id))
    );

CREATE POLICY organizations_insert_policy ON app.organizations
    FOR INSERT
    WITH CHECK (created_by = (SELECT auth.current_user_id()));

CREATE POLICY organizations_update_policy ON app.organizations
    FOR UPDATE
    USING (app.get_organization_role(id) IN ('owner', 'admin') OR (SELECT auth.has_role('admin')))
    WITH CHECK (app.get_organization_role(id) IN ('owner', 'admin') OR (SELECT auth.has_role('admin')));

CREATE POLICY organizations_delete_policy ON app.organizations
    FOR DELETE
    USING (app.get_organization_role(id) = 'owner' OR (SELECT auth.has_role('admin')));

-- Members: owners manage everybody, admins everybody but owners; all may leave.
CREATE POLICY organization_members_select_policy ON app.organization_members
    FOR SELECT
    USING (
        user_id = (SELECT auth.current_user_id())
        OR app.is_organization_member(organization_id)
        OR (SELECT auth.has_role('admin'))
    );

CREATE POLICY organization_members_insert_policy ON app.organization_members
    FOR INSERT
    WITH CHECK (
        app.get_organization_role(organization_id) = 'owner'
        OR (app.get_organization_role(organization_id) = 'admin' AND role <> 'owner')
        OR (SELECT auth.has_role('admin'))
        OR (
            role = 'owner'
            AND user_id = (SELECT auth.current_user_id())
            AND NOT app.organization_has_members(organization_id)
            AND EXISTS (
                SELECT
                FROM app.organizations AS o
                WHERE o.id = organization_members.organization_id
                  AND o.created_by = organization_members.user_id
            )
        )
    );

CREATE POLICY organization_members_update_policy ON app.organization_members
    FOR UPDATE
    USING (
        app.get_organization_role(organization_id) = 'owner'
        OR (app.get_organization_role(organization_id) = 'admin' AND role <> 'owner')
        OR (SELECT auth.has_role('admin'))
    )
    WITH CHECK (
        app.get_organization_role(organization_id) = 'owner'
        OR (app.get_organization_role(organization_id) = 'admin' AND role <> 'owner')
        OR (SELECT auth.has_role('admin'))
    );

CREATE POLICY organization_members_delete_policy ON app.organization_members
    FOR DELETE
    USING (
        user_id = (SELECT auth.current_user_id())
        OR app.get_organization_role(organization_id) = 'owner'
        OR (app.get_organization_role(organization_id) = 'admin' AND role <> 'owner')
        OR (SELECT auth.has_role('admin'))
    );

-- Projects: by visibility and membership. Viewers only view.
CREATE POLICY projects_select_policy ON app.projects
    FOR SELECT
    USING (
        (visibility = 'public' AND deleted_at IS NULL)
        OR app.is_organization_member(organization_id)
        OR (SELECT auth.has_role('admin'))
    );

CREATE POLICY projects_insert_policy ON app.projects
    FOR INSERT
    WITH CHECK (
        app.get_organization_role(organization_id) IN ('owner', 'admin', 'member')
        AND created_by = (SELECT auth.current_user_id())
    );

CREATE POLICY projects_update_policy ON app.projects
    FOR UPDATE
    USING (app.get_organization_role(organization_id) IN ('owner', 'admin', 'member'))
    WITH CHECK (app.get_organization_role(organization_id) IN ('owner', 'admin', 'member'));

CREATE POLICY projects_delete_policy ON app.projects
    FOR DELETE
    USING (app.get_organization_role(organization_id) IN ('owner', 'admin'));

-- Tasks: whoever sees the project sees its tasks; whoever writes to the project makes them.
CREATE POLICY tasks_select_policy ON app.tasks
    FOR SELECT
    USING (app.can_access_project(project_id) OR (SELECT auth.has_role('admin')));

CREATE POLICY tasks_insert_policy ON app.tasks
    FOR INSERT
    WITH CHECK (app.can_write_project(project_id) AND reporter_id = (SELECT auth.current_user_id()));

-- Assignee and reporter change their task, whoever writes to the project also hands it on. A policy cannot compare
-- the new row with the old one; guard_task_update below keeps the task in its project.
CREATE POLICY tasks_update_policy ON app.tasks
    FOR UPDATE
    USING (
        app.can_access_project(project_id)
        AND (
            assignee_id = (SELECT auth.current_user_id())
            OR reporter_id = (SELECT auth.current_user_id())
            OR app.get_project_role(project_id) IN ('owner', 'admin')
        )
    )
    WITH CHECK (
        app.can_write_project(project_id)
        OR (
            app.can_access_project(project_id)
            AND (
                assignee_id = (SELECT auth.current_user_id())
                OR reporter_id = (SELECT auth.current_user_id())
            )
        )
    );

CREATE POLICY tasks_delete_policy ON app.tasks
    FOR DELETE
    USING (
        app.can_access_project(project_id)
        AND (
            reporter_id = (SELECT auth.current_user_id())
            OR app.get_project_role(project_id) IN ('owner', 'admin')
        )
    );

-- Comments: whoever sees the task sees and writes them; everybody changes their own.
CREATE POLICY comments_select_policy ON app.comments
    FOR SELECT
    USING (app.can_access_task(task_id) OR (SELECT auth.has_role('admin')));

CREATE POLICY comments_insert_policy ON app.comments
    FOR INSERT
    WITH CHECK (user_id = (SELECT auth.current_user_id()) AND app.can_access_task(task_id));

CREATE POLICY comments_update_policy ON app.comments
    FOR UPDATE
    USING (user_id = (SELECT auth.current_user_id()))
    WITH CHECK (user_id = (SELECT auth.current_user_id()) AND app.can_access_task(task_id));

CREATE POLICY comments_delete_policy ON app.comments
    FOR DELETE
    USING (user_id = (SELECT auth.current_user_id()) OR (SELECT auth.has_role('admin')));

-- Attachments: as the task or comment that they hang on.
CREATE POLICY attachments_select_policy ON app.attachments
    FOR SELECT
    USING (
        uploaded_by = (SELECT auth.current_user_id())
        OR app.can_access_task(task_id)
        OR app.can_access_comment(comment_id)
        OR (SELECT auth.has_role('admin'))
    );

CREATE POLICY attachments_insert_policy ON app.attachments
    FOR INSERT
    WITH CHECK (
        uploaded_by = (SELECT auth.current_user_id())
        AND (task_id IS NULL OR app.can_access_task(task_id))
        AND (comment_id IS NULL OR app.can_access_comment(comment_id))
    );

CREATE POLICY attachments_update_policy ON app.attachments
    FOR UPDATE
    USING (uploaded_by = (SELECT auth.current_user_id()))
    WITH CHECK (
        uploaded_by = (SELECT auth.current_user_id())
        AND (task_id IS NULL OR app.can_access_task(task_id))
        AND (comment_id IS NULL OR app.can_access_comment(comment_id))
    );

CREATE POLICY attachments_delete_policy ON app.attachments
    FOR DELETE
    USING (uploaded_by = (SELECT auth.current_user_id()) OR (SELECT auth.has_role('admin')));

-- Notifications: one's own; the owner of the tables sends them.
CREATE POLICY notifications_select_policy ON app.notifications
    FOR SELECT
    USING (user_id = (SELECT auth.current_user_id()));

CREATE POLICY notifications_update_policy ON app.notifications
    FOR UPDATE
    USING (user_id = (SELECT auth.current_user_id()))
    WITH CHECK (user_id = (SELECT auth.current_user_id()));

-- Nobody lifts their own suspension. Holds for those for whom row level security holds; admins are free.
CREATE FUNCTION auth.guard_user_update()
RETURNS TRIGGER
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF row_security_active('auth.users')
       AND NOT auth.has_role('admin')
       AND (NEW.status, NEW.locked_until, NEW.deleted_at) IS DISTINCT FROM (OLD.status, OLD.locked_until, OLD.deleted_at) THEN
        RAISE EXCEPTION 'status, locked_until and deleted_at of a user are changed by admins only'
            USING ERRCODE = 'insufficient_privilege',
                  SCHEMA = TG_TABLE_SCHEMA,
                  TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER guard_user_update
    BEFORE UPDATE ON auth.users
    FOR EACH ROW
    EXECUTE FUNCTION auth.guard_user_update();

-- A task goes to another project only with somebody who writes to that project.
CREATE FUNCTION app.guard_task_update()
RETURNS TRIGGER
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.project_id IS DISTINCT FROM OLD.project_id
       AND row_security_active('app.tasks')
       AND NOT app.can_write_project(NEW.project_id) THEN
        RAISE EXCEPTION 'task "%" cannot be moved to project "%": no right to write there', OLD.id, NEW.project_id
            USING ERRCODE = 'insufficient_privilege',
                  SCHEMA = TG_TABLE_SCHEMA,
                  TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER guard_task_update
    BEFORE UPDATE ON app.tasks
    FOR EACH ROW
    EXECUTE FUNCTION app.guard_task_update();

REVOKE EXECUTE ON FUNCTION auth.guard_user_update(), app.guard_task_update() FROM PUBLIC;

GRANT USAGE ON SCHEMA auth, app, analytics TO fsm_app;

-- Colleagues see each other, but not each other's password_hash; address and verification are changed by the owner.
GRANT SELECT (id, email, email_verified, phone, phone_verified, first_name, last_name, avatar_url, locale, timezone,
              status, last_login_at, last_login_ip, failed_login_attempts, locked_until, metadata,
              created_at, updated_at, deleted_at)
    ON auth.users TO fsm_app;
GRANT UPDATE (phone, password_hash, first_name, last_name, avatar_url, locale, timezone, status, locked_until,
              metadata, deleted_at)
    ON auth.users TO fsm_app;
GRANT SELECT ON auth.roles TO fsm_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.user_roles, auth.sessions TO fsm_app;

GRANT SELECT, INSERT, UPDATE, DELETE
    ON app.organizations, app.organization_members, app.projects, app.tasks, app.comments, app.attachments
    TO fsm_app;
GRANT SELECT, UPDATE (is_read, read_at) ON app.notifications TO fsm_app;

-- Written by everybody, read by nobody but the owner: there are no policies that would tell the rows apart.
GRANT INSERT ON analytics.events, analytics.page_views TO fsm_app;
GRANT USAGE ON SEQUENCE analytics.events_id_seq, analytics.page_views_id_seq TO fsm_app;

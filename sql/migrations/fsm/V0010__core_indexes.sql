-- fsm V0010: indexes of the schemas auth, app, analytics and audit.
-- Lock: SHARE on each table while its indexes are built: writers wait. The tables are new and hold next to nothing.
--
-- Not made: indexes on what a UNIQUE constraint indexes already (users.email, sessions.token_hash, organizations.slug)
-- or begins with (user_roles.user_id, organization_members.organization_id).
-- Every foreign key has an index that begins with it and holds every row it can match: else deleting one user reads
-- whole tables.

CREATE INDEX idx_users_status ON auth.users (status) WHERE deleted_at IS NULL;
CREATE INDEX idx_users_created_at ON auth.users (created_at DESC);
CREATE INDEX idx_users_last_login ON auth.users (last_login_at DESC NULLS LAST);
CREATE INDEX idx_users_fulltext ON auth.users USING gin (
    to_tsvector('english', COALESCE(first_name, '') || ' ' || COALESCE(last_name, '') || ' ' || COALESCE(email, ''))
);

CREATE INDEX idx_sessions_user_id ON auth.sessions (user_id);
CREATE INDEX idx_sessions_expires_at ON auth.sessions (expires_at);
CREATE INDEX idx_sessions_last_activity ON auth.sessions (last_activity_at DESC);

CREATE INDEX idx_user_roles_role_id ON auth.user_roles (role_id);
CREATE INDEX idx_user_roles_granted_by ON auth.user_roles (granted_by) WHERE granted_by IS NOT NULL;
CREATE INDEX idx_user_roles_expires_at ON auth.user_roles (expires_at) WHERE expires_at IS NOT NULL;

CREATE INDEX idx_password_reset_tokens_user_id ON auth.password_reset_tokens (user_id);
CREATE INDEX idx_email_verification_tokens_user_id ON auth.email_verification_tokens (user_id);

CREATE INDEX idx_organizations_status ON app.organizations (status) WHERE deleted_at IS NULL;
CREATE INDEX idx_organizations_created_by ON app.organizations (created_by);
CREATE INDEX idx_organizations_trial_ends ON app.organizations (trial_ends_at) WHERE trial_ends_at IS NOT NULL;
CREATE INDEX idx_organizations_fulltext ON app.organizations USING gin (
    to_tsvector('english', COALESCE(name, '') || ' ' || COALESCE(description, ''))
);

CREATE INDEX idx_org_members_user_id ON app.organization_members (user_id);
CREATE INDEX idx_org_members_invited_by ON app.organization_members (invited_by) WHERE invited_by IS NOT NULL;
CREATE INDEX idx_org_members_role ON app.organization_members (role);
CREATE INDEX idx_org_members_status ON app.organization_members (status);

CREATE INDEX idx_projects_org_id ON app.projects (organization_id) WHERE deleted_at IS NULL;
CREATE INDEX idx_projects_slug ON app.projects (slug);
CREATE INDEX idx_projects_status ON app.projects (status) WHERE deleted_at IS NULL;
CREATE INDEX idx_projects_created_by ON app.projects (created_by);
CREATE INDEX idx_projects_visibility ON app.projects (visibility);
CREATE INDEX idx_projects_dates ON app.projects (start_date, end_date);
CREATE INDEX idx_projects_fulltext ON app.projects USING gin (
    to_tsvector('english', COALESCE(name, '') || ' ' || COALESCE(description, ''))
);

-- By rank: as text, medium comes before low and urgent first of all. Queries order by app.priority_rank(priority).
CREATE FUNCTION app.priority_rank(priority TEXT)
RETURNS SMALLINT
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE priority WHEN 'urgent' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 WHEN 'low' THEN 1 END::SMALLINT
$$;

-- The first three hold deleted tasks too, for the foreign keys.
CREATE INDEX idx_tasks_project_id ON app.tasks (project_id);
CREATE INDEX idx_tasks_assignee_id ON app.tasks (assignee_id);
CREATE INDEX idx_tasks_reporter_id ON app.tasks (reporter_id);
CREATE INDEX idx_tasks_status ON app.tasks (status) WHERE deleted_at IS NULL;
CREATE INDEX idx_tasks_priority ON app.tasks (priority) WHERE deleted_at IS NULL;
CREATE INDEX idx_tasks_due_date ON app.tasks (due_date) WHERE deleted_at IS NULL;
CREATE INDEX idx_tasks_parent_task ON app.tasks (parent_task_id) WHERE parent_task_id IS NOT NULL;
CREATE INDEX idx_tasks_project_status_priority ON app.tasks (project_id, status, app.priority_rank(priority) DESC)
    WHERE deleted_at IS NULL;
CREATE INDEX idx_tasks_fulltext ON app.tasks USING gin (
    to_tsvector('english', COALESCE(title, '') || ' ' || COALESCE(description, ''))
);
CREATE INDEX idx_tasks_tags ON app.tasks USING gin (tags);
CREATE INDEX idx_tasks_metadata ON app.tasks USING gin (metadata);

-- Holds deleted comments too, for the deletion of their task.
CREATE INDEX idx_comments_task_id ON app.comments (task_id);
CREATE INDEX idx_comments_user_id ON app.comments (user_id);
CREATE INDEX idx_comments_parent_id ON app.comments (parent_comment_id) WHERE parent_comment_id IS NOT NULL;
CREATE INDEX idx_comments_created_at ON app.comments (created_at DESC);
CREATE INDEX idx_comments_fulltext ON app.comments USING gin (to_tsvector('english', content));

CREATE INDEX idx_attachments_task_id ON app.attachments (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX idx_attachments_comment_id ON app.attachments (comment_id) WHERE comment_id IS NOT NULL;
CREATE INDEX idx_attachments_uploaded_by ON app.attachments (uploaded_by);
CREATE INDEX idx_attachments_mime_type ON app.attachments (mime_type);

CREATE INDEX idx_notifications_user_id ON app.notifications (user_id);
CREATE INDEX idx_notifications_is_read ON app.notifications (is_read) WHERE is_read = FALSE;
CREATE INDEX idx_notifications_created_at ON app.notifications (created_at DESC);
CREATE INDEX idx_notifications_type ON app.notifications (type);
CREATE INDEX idx_notifications_user_unread ON app.notifications (user_id, created_at DESC) WHERE is_read = FALSE;

CREATE INDEX idx_events_type ON analytics.events (event_type);
CREATE INDEX idx_events_user_id ON analytics.events (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX idx_events_org_id ON analytics.events (organization_id) WHERE organization_id IS NOT NULL;
CREATE INDEX idx_events_session_id ON analytics.events (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX idx_events_created_at ON analytics.events (created_at DESC);
CREATE INDEX idx_events_properties ON analytics.events USING gin (properties);

CREATE INDEX idx_page_views_user_id ON analytics.page_views (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX idx_page_views_session_id ON analytics.page_views (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX idx_page_views_url ON analytics.page_views (url);
CREATE INDEX idx_page_views_created_at ON analytics.page_views (created_at DESC);

CREATE INDEX idx_audit_table_record ON audit.audit_log (table_name, record_id);
CREATE INDEX idx_audit_user_id ON audit.audit_log (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX idx_audit_action ON audit.audit_log (action);
CREATE INDEX idx_audit_created_at ON audit.audit_log (created_at DESC);
CREATE INDEX idx_audit_new_values ON audit.audit_log USING gin (new_values);
CREATE INDEX idx_audit_old_values ON audit.audit_log USING gin (old_values);

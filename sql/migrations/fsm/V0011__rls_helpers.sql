-- fsm V0011: who is asking, and what they are to an organization, a project or a task.
-- Lock: none on any table; functions only.
--
-- The identity is the setting app.current_user_id, set for one transaction: SET LOCAL app.current_user_id = '<uuid>'.
-- Behind a transaction pooler nothing else is safe. Once a transaction has set it, it is '' afterwards: nobody.
--
-- SECURITY DEFINER: a policy that reads a table with policies would see too little of it, or recurse without end. The
-- owner of the tables sees every row as long as row level security is not FORCEd on them. Everybody may execute the
-- helpers, because policies run them as whoever asks; each one answers about the caller only.

-- The user who is asking, or null. What is no UUID fails (22P02) rather than being taken for nobody.
CREATE FUNCTION auth.current_user_id()
RETURNS UUID
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN NULLIF(current_setting('app.current_user_id', TRUE), '')::UUID;
END;
$$;

CREATE FUNCTION auth.has_role(role_name TEXT)
RETURNS BOOLEAN
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (
        SELECT
        FROM auth.user_roles AS ur
        JOIN auth.roles AS r ON r.id = ur.role_id
        WHERE ur.user_id = auth.current_user_id()
          AND r.name = role_name
          AND (ur.expires_at IS NULL OR ur.expires_at > now())
    );
END;
$$;

CREATE FUNCTION app.is_organization_member(org_id UUID)
RETURNS BOOLEAN
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (
        SELECT
        FROM app.organization_members AS m
        WHERE m.organization_id = org_id
          AND m.user_id = auth.current_user_id()
          AND m.status = 'active'
    );
END;
$$;

-- owner, admin, member or viewer; null for whoever is no active member.
CREATE FUNCTION app.get_organization_role(org_id UUID)
RETURNS TEXT
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT m.role
        FROM app.organization_members AS m
        WHERE m.organization_id = org_id
          AND m.user_id = auth.current_user_id()
          AND m.status = 'active'
    );
END;
$$;

-- Has anybody been made a member yet? Until then the organization belongs to whoever created it.
CREATE FUNCTION app.organization_has_members(org_id UUID)
RETURNS BOOLEAN
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM app.organization_members AS m WHERE m.organization_id = org_id);
END;
$$;

-- Is the other one in an organization in which the caller is active?
CREATE FUNCTION app.shares_organization(other_user_id UUID)
RETURNS BOOLEAN
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (
        SELECT
        FROM app.organization_members AS mine
        JOIN app.organization_members AS theirs ON theirs.organization_id = mine.organization_id
        WHERE mine.user_id = auth.current_user_id()
          AND mine.status = 'active'
          AND theirs.user_id = other_user_id
          AND theirs.status <> 'removed'
    );
END;
$$;

-- Public projects: everybody. Others, private ones too: the members of the organization. Deleted ones: nobody.
CREATE FUNCTION app.can_access_project(proj_id UUID)
RETURNS BOOLEAN
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    org_id UUID;
    project_visibility TEXT;
BEGIN
    SELECT p.organization_id, p.visibility
    INTO org_id, project_visibility
    FROM app.projects AS p
    WHERE p.id = proj_id
      AND p.deleted_at IS NULL;

    RETURN FOUND AND (project_visibility = 'public' OR app.is_organization_member(org_id));
END;
$$;

-- The caller's role in the organization of a project; null for a deleted project and whoever is no active member.
CREATE FUNCTION app.get_project_role(proj_id UUID)
RETURNS TEXT
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT app.get_organization_role(p.organization_id)
        FROM app.projects AS p
        WHERE p.id = proj_id
          AND p.deleted_at IS NULL
    );
END;
$$;

-- Seeing a public project is not writing to it.
CREATE FUNCTION app.can_write_project(proj_id UUID)
RETURNS BOOLEAN
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN COALESCE(app.get_project_role(proj_id) IN ('owner', 'admin', 'member'), FALSE);
END;
$$;

CREATE FUNCTION app.can_access_task(p_task_id UUID)
RETURNS BOOLEAN
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (
        SELECT
        FROM app.tasks AS t
        WHERE t.id = p_task_id
          AND app.can_access_project(t.project_id)
    );
END;
$$;

CREATE FUNCTION app.can_access_comment(p_comment_id UUID)
RETURNS BOOLEAN
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (
        SELECT
        FROM app.comments AS c
        WHERE c.id = p_comment_id
          AND app.can_access_task(c.task_id)
    );
END;
$$;

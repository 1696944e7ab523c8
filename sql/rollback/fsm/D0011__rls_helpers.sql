-- fsm D0011: undoes V0011, the helpers of row level security.
-- Lock: none on any table; functions only.

DROP FUNCTION app.can_access_comment(UUID);
DROP FUNCTION app.can_access_task(UUID);
DROP FUNCTION app.can_write_project(UUID);
DROP FUNCTION app.get_project_role(UUID);
DROP FUNCTION app.can_access_project(UUID);
DROP FUNCTION app.shares_organization(UUID);
DROP FUNCTION app.organization_has_members(UUID);
DROP FUNCTION app.get_organization_role(UUID);
DROP FUNCTION app.is_organization_member(UUID);
DROP FUNCTION auth.has_role(TEXT);
DROP FUNCTION auth.current_user_id();

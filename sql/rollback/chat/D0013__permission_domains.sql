-- chat D0013: undoes V0013; what users hold of these six prefixes is lost with them.
-- Lock: ROW EXCLUSIVE, as any delete.

DELETE FROM user_access_permissions
WHERE permission_prefix IN ('chat:room', 'chat:message', 'chat:robot', 'chat:file', 'chat:escalation', 'supervisor:chat');

DELETE FROM access_permission_domains
WHERE permission_prefix IN ('chat:room', 'chat:message', 'chat:robot', 'chat:file', 'chat:escalation', 'supervisor:chat');

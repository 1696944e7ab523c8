-- chat V0013: the permission prefixes of the chat (domain:function; user_access_permissions adds the action).
-- Lock: ROW EXCLUSIVE, as any insert.
--
-- The policies of V0012 ask for these: supervisor:chat:read (sees every room), supervisor:chat:audit (sees the history
-- tables), chat:escalation:read, chat:escalation:manage. Every other action is for the application to ask for, by has_permission().

INSERT INTO access_permission_domains (permission_prefix, description)
VALUES
    ('chat:room', 'Chat room management permissions'),
    ('chat:message', 'Message sending and viewing permissions'),
    ('chat:robot', 'Robot interaction permissions'),
    ('chat:file', 'File upload and sharing permissions'),
    ('chat:escalation', 'Escalation management permissions'),
    ('supervisor:chat', 'Supervisor monitoring permissions')
ON CONFLICT (permission_prefix) DO NOTHING;

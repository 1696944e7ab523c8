-- chat D0002: undoes V0002; the rows of users and of both permission tables are lost.
-- Lock: ACCESS EXCLUSIVE on the tables, held for catalog changes only.

DROP FUNCTION user_has_permission(UUID, TEXT);
DROP TABLE user_access_permissions;
DROP TABLE access_permission_domains;
DROP TABLE users;

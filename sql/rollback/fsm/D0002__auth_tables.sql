-- fsm D0002: undoes V0002; the rows of all tables of the schema auth are lost.
-- Lock: ACCESS EXCLUSIVE on the tables, held for catalog changes only.

DROP TABLE auth.email_verification_tokens;
DROP TABLE auth.password_reset_tokens;
DROP TABLE auth.sessions;
DROP TABLE auth.user_roles;
DROP TABLE auth.roles;
DROP TABLE auth.users;

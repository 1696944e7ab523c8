-- recruitment D0001: undoes V0001; the rows of teams, users and accounts are lost.
-- Lock: ACCESS EXCLUSIVE on the three tables, held for catalog changes only.

DROP TABLE teams;
DROP TABLE users;
DROP TABLE accounts;
DROP FUNCTION set_updated_at();
DROP FUNCTION pin_search_path(REGPROCEDURE, NAME[]);

-- consultor D0002: undoes V0002; the rows of consultants are lost.
-- Lock: ACCESS EXCLUSIVE on the table, held for catalog changes only.

DROP TABLE consultants;
DROP FUNCTION set_deactivated_at();

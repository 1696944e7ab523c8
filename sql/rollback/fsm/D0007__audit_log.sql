-- fsm D0007: undoes V0007; the rows of audit_log are lost.
-- Lock: ACCESS EXCLUSIVE on the table, held for catalog changes only.

DROP TABLE audit.audit_log;
DROP FUNCTION audit.reject_change();

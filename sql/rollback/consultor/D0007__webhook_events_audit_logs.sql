-- consultor D0007: undoes V0007; the rows of audit_logs and webhook_events are lost, also audit rows that law wants kept
--                  for five years: export them first.
-- Lock: ACCESS EXCLUSIVE on both tables and consultants, held for catalog changes only.

-- Here, not with the table: its variable has the table's row type.
DROP TRIGGER protect_audit_logs_truncate ON audit_logs;
DROP TRIGGER protect_audit_logs ON audit_logs;
DROP FUNCTION protect_audit_log();
DROP TABLE audit_logs;
DROP TABLE webhook_events;

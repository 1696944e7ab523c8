-- consultor D0007: undoes V0007; the rows of audit_logs and webhook_events are lost, also audit rows that law wants kept
--                  for five years: export them first.
-- Lock: ACCESS EXCLUSIVE on both tables and consultants, held for catalog changes only.

DROP TABLE audit_logs;
DROP FUNCTION protect_audit_log();
DROP TABLE webhook_events;

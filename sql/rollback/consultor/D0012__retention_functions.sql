-- consultor D0012: undoes V0012.
-- Lock: none on any table; functions only.

DROP FUNCTION purge_closed_consultants(INTEGER, INTEGER);
DROP FUNCTION purge_consultants(UUID[]);
DROP FUNCTION archive_messages(INTERVAL, INTEGER);
DROP FUNCTION cleanup_audit_logs(INTERVAL, INTEGER);
DROP FUNCTION anonymize_audit_ips(INTEGER, INTEGER);
DROP FUNCTION cleanup_webhook_events(INTEGER, INTEGER);
DROP FUNCTION retention_cutoff(INTERVAL, INTERVAL, INTEGER);

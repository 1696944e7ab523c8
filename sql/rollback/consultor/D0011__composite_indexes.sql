-- consultor D0011: undoes V0011.
-- Lock: ACCESS EXCLUSIVE on conversations and leads, held for catalog changes only.

DROP INDEX idx_conversations_lead_flow_completed;
DROP INDEX idx_leads_consultant_status_date;

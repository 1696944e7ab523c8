-- consultor D0008: undoes V0008.
-- Lock: ACCESS EXCLUSIVE on leads and consultants, held for catalog changes only.

DROP TRIGGER audit_leads_deletion ON leads;
DROP TRIGGER audit_consultants_deletion ON consultants;
DROP FUNCTION audit_deletion();
DROP FUNCTION log_audit_event(UUID, VARCHAR, VARCHAR, UUID, JSONB, INET, TEXT);
DROP TRIGGER set_consultants_slug ON consultants;
DROP FUNCTION set_consultant_slug();
DROP FUNCTION generate_slug(TEXT);

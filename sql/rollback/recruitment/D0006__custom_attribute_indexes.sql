-- recruitment D0006: undoes V0006, the indexes on custom_attributes and the functions in them. No row is lost.
-- Lock: ACCESS EXCLUSIVE on contacts, held for catalog changes only.

DROP INDEX idx_contacts_budget_min;
DROP INDEX idx_contacts_instagram_handle;
DROP INDEX idx_contacts_qualification_score;
DROP INDEX idx_contacts_lead_source;
DROP INDEX idx_contacts_lead_status;
DROP INDEX idx_contacts_custom_attributes;
DROP FUNCTION safe_integer(TEXT);
DROP FUNCTION safe_numeric(TEXT);

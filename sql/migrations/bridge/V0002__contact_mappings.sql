-- bridge V0002: contact_mappings, chat contacts and the CRM lead or person each one is.
-- Lock: none that anybody could wait for; the table is new.

CREATE TABLE contact_mappings (
    id BIGSERIAL PRIMARY KEY,
    chatwoot_contact_id BIGINT NOT NULL UNIQUE,
    krayin_lead_id BIGINT NULL,
    krayin_person_id BIGINT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT chk_contact_mappings_has_mapping
        CHECK (krayin_lead_id IS NOT NULL OR krayin_person_id IS NOT NULL)
);

-- The UNIQUE above has its own index; a lookup by lead alone uses the first column of the last index below.
CREATE INDEX idx_contact_mappings_krayin_person_id
    ON contact_mappings (krayin_person_id)
    WHERE krayin_person_id IS NOT NULL;

CREATE INDEX idx_contact_mappings_lead_contact
    ON contact_mappings (krayin_lead_id, chatwoot_contact_id)
    WHERE krayin_lead_id IS NOT NULL;

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON contact_mappings
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

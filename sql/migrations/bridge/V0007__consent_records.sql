-- bridge V0007: consent_records, consent that contacts gave, denied or withdrew (LGPD: kept 5 years).
-- Lock: none that anybody could wait for; the table is new.

CREATE TABLE consent_records (
    id BIGSERIAL PRIMARY KEY,
    contact_id BIGINT NOT NULL,
    chatwoot_contact_id BIGINT NULL,
    krayin_lead_id BIGINT NULL,
    consent_type VARCHAR(50) NOT NULL,
    status VARCHAR(20) NOT NULL,
    granted_at TIMESTAMPTZ NULL,
    withdrawn_at TIMESTAMPTZ NULL,
    ip_address VARCHAR(45) NOT NULL,
    user_agent TEXT NOT NULL,
    consent_text TEXT NOT NULL,
    consent_version VARCHAR(20) NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT chk_consent_type
        CHECK (consent_type::TEXT IN ('data_processing', 'marketing', 'health_data')),
    CONSTRAINT chk_consent_status
        CHECK (status::TEXT IN ('granted', 'denied', 'withdrawn')),
    CONSTRAINT chk_consent_status_dates CHECK (
        (status = 'granted' AND granted_at IS NOT NULL AND withdrawn_at IS NULL) OR
        (status = 'withdrawn' AND withdrawn_at IS NOT NULL) OR
        status = 'denied'
    )
);

CREATE INDEX idx_consent_contact_type
    ON consent_records (contact_id, consent_type);

CREATE INDEX idx_consent_chatwoot_contact
    ON consent_records (chatwoot_contact_id)
    WHERE chatwoot_contact_id IS NOT NULL;

CREATE INDEX idx_consent_status
    ON consent_records (status, consent_type);

CREATE INDEX idx_consent_created_at
    ON consent_records (created_at DESC);

CREATE INDEX idx_consent_valid
    ON consent_records (contact_id, consent_type)
    WHERE status = 'granted' AND withdrawn_at IS NULL;

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON consent_records
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

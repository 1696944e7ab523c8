-- consultor V0007: raw webhooks for debugging and replay, and the audit trail, which is kept for five years.
-- Lock: SHARE ROW EXCLUSIVE on consultants for the foreign key, held for catalog changes only; the tables are new.

CREATE TABLE webhook_events (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    event_type VARCHAR(50) NOT NULL,
    payload JSONB NOT NULL,
    signature VARCHAR(255),
    processed BOOLEAN NOT NULL DEFAULT FALSE,
    processing_error TEXT,
    retry_count INTEGER NOT NULL DEFAULT 0,
    received_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    processed_at TIMESTAMPTZ,

    CONSTRAINT valid_webhook_payload CHECK (jsonb_typeof(payload) IN ('object', 'array'))
);

COMMENT ON TABLE webhook_events IS 'Raw webhook payloads; cleanup_webhook_events() deletes processed ones after 30 days';
COMMENT ON COLUMN webhook_events.signature IS 'Webhook signature for verification';

CREATE INDEX idx_webhook_events_event_type ON webhook_events (event_type);
CREATE INDEX idx_webhook_events_processed ON webhook_events (received_at) WHERE NOT processed;
CREATE INDEX idx_webhook_events_received_at ON webhook_events (received_at DESC);

ALTER TABLE webhook_events ENABLE ROW LEVEL SECURITY;

CREATE TABLE audit_logs (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    consultant_id UUID REFERENCES consultants (id) ON DELETE SET NULL,
    action VARCHAR(50) NOT NULL,
    resource_type VARCHAR(50),
    resource_id UUID,
    details JSONB DEFAULT '{}',
    ip_address INET,
    user_agent TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),

    CONSTRAINT valid_audit_details CHECK (jsonb_typeof(details) = 'object')
);

COMMENT ON TABLE audit_logs IS 'Who did what: exports, deletions, logins. Rows are only added; kept for at least five years';
COMMENT ON COLUMN audit_logs.action IS 'lead_exported, data_deleted, login, ...';
COMMENT ON COLUMN audit_logs.ip_address IS 'Removed after 90 days by anonymize_audit_ips()';

CREATE INDEX idx_audit_logs_consultant_id ON audit_logs (consultant_id);
CREATE INDEX idx_audit_logs_action ON audit_logs (action);
CREATE INDEX idx_audit_logs_created_at ON audit_logs (created_at DESC);
CREATE INDEX idx_audit_logs_resource ON audit_logs (resource_type, resource_id);

-- What anonymize_audit_ips() still has to do.
CREATE INDEX idx_audit_logs_with_ip ON audit_logs (created_at) WHERE ip_address IS NOT NULL;

ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY;

-- Refuses whatever would change the trail. Three things may happen to a row: its address is removed, its consultant_id
-- becomes NULL because the consultant was deleted, and after five years it goes. For the owner too.
CREATE FUNCTION protect_audit_log()
RETURNS TRIGGER
LANGUAGE plpgsql
SET TimeZone = 'UTC'
AS $$
DECLARE
    v_expected audit_logs;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        v_expected := OLD;
        IF NEW.ip_address IS NULL THEN
            v_expected.ip_address := NULL;
        END IF;
        IF NEW.consultant_id IS NULL
           AND NOT EXISTS (SELECT FROM consultants AS c WHERE c.id = OLD.consultant_id) THEN
            v_expected.consultant_id := NULL;
        END IF;
        IF pg_catalog.to_jsonb(NEW) = pg_catalog.to_jsonb(v_expected) THEN
            RETURN NEW;
        END IF;

    ELSIF TG_OP = 'DELETE' THEN
        IF OLD.created_at < now() - INTERVAL '5 years' THEN
            RETURN OLD;
        END IF;
    END IF;

    RAISE EXCEPTION '% on "audit_logs" refused: the audit trail is only ever added to', TG_OP
        USING ERRCODE = 'insufficient_privilege',
              SCHEMA = TG_TABLE_SCHEMA,
              TABLE = TG_TABLE_NAME,
              HINT = 'anonymize_audit_ips() removes addresses, cleanup_audit_logs() deletes rows older than five years';
END;
$$;

SELECT pin_search_path('protect_audit_log()');

CREATE TRIGGER protect_audit_logs
    BEFORE UPDATE OR DELETE ON audit_logs
    FOR EACH ROW
    EXECUTE FUNCTION protect_audit_log();

CREATE TRIGGER protect_audit_logs_truncate
    BEFORE TRUNCATE ON audit_logs
    FOR EACH STATEMENT
    EXECUTE FUNCTION protect_audit_log();

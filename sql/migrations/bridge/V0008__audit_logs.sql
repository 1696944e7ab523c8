-- bridge V0008: audit_logs, who did what to which record, one partition a quarter (UTC), kept 5 years (LGPD);
--               rows can be added, never changed or deleted.
-- Lock: none that anybody could wait for; the table is new. V0010 makes the partitions.

CREATE TABLE audit_logs (
    id BIGSERIAL,
    user_id BIGINT NULL,
    action VARCHAR(50) NOT NULL,
    model VARCHAR(100) NOT NULL,
    model_id BIGINT NULL,
    changes JSONB NULL,
    ip_address VARCHAR(45) NOT NULL,
    user_agent TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    PRIMARY KEY (id, created_at),
    CONSTRAINT chk_audit_logs_action
        CHECK (action::TEXT IN ('create', 'read', 'update', 'delete', 'export'))
) PARTITION BY RANGE (created_at);

CREATE INDEX idx_audit_logs_user
    ON audit_logs (user_id, created_at DESC);

CREATE INDEX idx_audit_logs_model
    ON audit_logs (model, model_id, created_at DESC);

CREATE INDEX idx_audit_logs_action
    ON audit_logs (action, created_at DESC);

CREATE INDEX idx_audit_logs_created_at
    ON audit_logs (created_at DESC);

-- For each row: a trigger for each statement would not fire on a statement that names a partition.
CREATE TRIGGER trigger_audit_logs_append_only
    BEFORE UPDATE OR DELETE ON audit_logs
    FOR EACH ROW
    EXECUTE FUNCTION reject_change();

CREATE TRIGGER trigger_audit_logs_no_truncate
    BEFORE TRUNCATE ON audit_logs
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change();

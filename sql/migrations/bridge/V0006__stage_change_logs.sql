-- bridge V0006: stage_change_logs, every move of a lead on the Kanban board, one partition a quarter (UTC), kept 5 years.
-- Lock: none that anybody could wait for; the table is new. V0010 makes the partitions.

CREATE TABLE stage_change_logs (
    id BIGSERIAL,
    krayin_lead_id BIGINT NOT NULL,
    previous_stage VARCHAR(100) NULL,
    new_stage VARCHAR(100) NOT NULL,
    trigger_source VARCHAR(50) NOT NULL,
    chatwoot_conversation_id BIGINT NULL,
    chatwoot_status VARCHAR(50) NULL,
    changed_by_user_id BIGINT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    PRIMARY KEY (id, created_at),
    CONSTRAINT chk_stage_change_logs_trigger_source
        CHECK (trigger_source::TEXT IN ('webhook', 'manual', 'automation'))
) PARTITION BY RANGE (created_at);

CREATE INDEX idx_stage_change_logs_krayin_lead_id
    ON stage_change_logs (krayin_lead_id, created_at DESC);

CREATE INDEX idx_stage_change_logs_created_at
    ON stage_change_logs (created_at DESC);

CREATE INDEX idx_stage_change_logs_trigger_source
    ON stage_change_logs (trigger_source, created_at DESC);

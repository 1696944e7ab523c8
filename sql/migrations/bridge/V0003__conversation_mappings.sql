-- bridge V0003: conversation_mappings, chat conversations and the CRM lead each one belongs to.
-- Lock: none that anybody could wait for; the table is new.

CREATE TABLE conversation_mappings (
    id BIGSERIAL PRIMARY KEY,
    chatwoot_conversation_id BIGINT NOT NULL UNIQUE,
    krayin_lead_id BIGINT NOT NULL,
    status VARCHAR(50) NOT NULL DEFAULT 'open',
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    -- Kept by the triggers on activity_mappings, except resolved_at, which the application writes.
    message_count INT NOT NULL DEFAULT 0,
    last_message_at TIMESTAMPTZ NULL,
    first_response_at TIMESTAMPTZ NULL,
    resolved_at TIMESTAMPTZ NULL,

    -- ::TEXT, here and in the lists of the later tables: without it a restored database words the constraint
    -- in another way than this one, and looks changed.
    CONSTRAINT chk_conversation_mappings_status
        CHECK (status::TEXT IN ('open', 'resolved', 'pending', 'snoozed')),
    CONSTRAINT chk_conversation_mappings_message_count
        CHECK (message_count >= 0)
);

-- The UNIQUE above has its own index; a lookup by lead alone uses the first column of either index below.
CREATE INDEX idx_conversation_mappings_lead_status
    ON conversation_mappings (krayin_lead_id, status);

CREATE INDEX idx_conversation_mappings_lead_updated
    ON conversation_mappings (krayin_lead_id, updated_at DESC);

CREATE INDEX idx_conversation_mappings_status_updated
    ON conversation_mappings (status, updated_at DESC);

CREATE INDEX idx_conversation_mappings_open_conversations
    ON conversation_mappings (krayin_lead_id, updated_at DESC)
    WHERE status = 'open';

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON conversation_mappings
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

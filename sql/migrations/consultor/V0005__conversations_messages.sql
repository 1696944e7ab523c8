-- consultor V0005: conversations of leads with the bot, their messages, and the archive of old messages.
-- Lock: SHARE ROW EXCLUSIVE on leads and flows for the foreign keys, held for catalog changes only; the tables are new.

CREATE TABLE conversations (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    lead_id UUID NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    flow_id UUID NOT NULL REFERENCES flows (id) ON DELETE RESTRICT,
    current_step VARCHAR(50),
    state JSONB DEFAULT '{}',
    is_completed BOOLEAN NOT NULL DEFAULT FALSE,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    completed_at TIMESTAMPTZ,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),

    CONSTRAINT valid_conversation_state CHECK (jsonb_typeof(state) = 'object')
);

COMMENT ON TABLE conversations IS 'Conversations between leads and bots, at most one active one a lead';
COMMENT ON COLUMN conversations.current_step IS 'Id of the current step of the flow';
COMMENT ON COLUMN conversations.state IS 'Runtime data: {"last_response": "2", "retry_count": 0}';
COMMENT ON COLUMN conversations.is_completed IS 'True once the flow has reached its last step';

-- One active conversation a lead. A lookup by lead alone uses the composite index of V0011.
CREATE UNIQUE INDEX idx_conversations_one_active ON conversations (lead_id) WHERE NOT is_completed;

CREATE INDEX idx_conversations_flow_id ON conversations (flow_id);
CREATE INDEX idx_conversations_is_completed ON conversations (updated_at DESC) WHERE NOT is_completed;
CREATE INDEX idx_conversations_updated_at ON conversations (updated_at DESC);

CREATE TRIGGER update_conversations_updated_at
    BEFORE UPDATE ON conversations
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION update_updated_at_column();

ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;

CREATE TABLE messages (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    conversation_id UUID NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    direction VARCHAR(10) NOT NULL
        CHECK (direction IN ('inbound', 'outbound')),
    content TEXT NOT NULL,
    message_type VARCHAR(20) NOT NULL DEFAULT 'text'
        CHECK (message_type IN ('text', 'image', 'button', 'list')),
    media_url TEXT,
    whatsapp_message_id VARCHAR(100),
    status VARCHAR(20) NOT NULL DEFAULT 'sent'
        CHECK (status IN ('sent', 'delivered', 'read', 'failed')),
    error_message TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

COMMENT ON TABLE messages IS 'Messages of conversations; after two years archive_messages() moves them to messages_archive';
COMMENT ON COLUMN messages.whatsapp_message_id IS 'WhatsApp''s id: a webhook that comes twice is refused (23505)';
COMMENT ON COLUMN messages.status IS 'Updated by the status webhooks';

-- By time within the conversation: the order in which a chat is shown.
CREATE INDEX idx_messages_conversation_id ON messages (conversation_id, created_at);
CREATE INDEX idx_messages_created_at ON messages (created_at DESC);
CREATE INDEX idx_messages_direction ON messages (direction);

-- For ON CONFLICT (whatsapp_message_id) WHERE whatsapp_message_id IS NOT NULL, and for lookups by that id.
CREATE UNIQUE INDEX idx_messages_whatsapp_id_unique ON messages (whatsapp_message_id)
    WHERE whatsapp_message_id IS NOT NULL;

ALTER TABLE messages ENABLE ROW LEVEL SECURITY;

-- Erasing a lead erases the archived messages with it, as LGPD wants: hence the foreign key.
CREATE TABLE messages_archive (
    id UUID PRIMARY KEY,
    conversation_id UUID NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    direction VARCHAR(10) NOT NULL,
    content TEXT NOT NULL,
    message_type VARCHAR(20) NOT NULL,
    media_url TEXT,
    whatsapp_message_id VARCHAR(100),
    status VARCHAR(20) NOT NULL,
    error_message TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    archived_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

COMMENT ON TABLE messages_archive IS 'Messages older than two years, moved here by archive_messages()';

CREATE INDEX idx_messages_archive_conversation_id ON messages_archive (conversation_id, created_at);

ALTER TABLE messages_archive ENABLE ROW LEVEL SECURITY;

-- Moves last_interaction_at of the leads forward to their newest message, never back. Once a statement, not once a row:
-- an import of many messages updates each lead once.
CREATE FUNCTION update_lead_last_interaction()
RETURNS TRIGGER
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE leads AS l
    SET last_interaction_at = n.newest
    FROM (
        SELECT c.lead_id, max(m.created_at) AS newest
        FROM new_messages AS m
        JOIN conversations AS c ON c.id = m.conversation_id
        GROUP BY c.lead_id
    ) AS n
    WHERE l.id = n.lead_id
      AND l.last_interaction_at < n.newest;

    RETURN NULL;
END;
$$;

SELECT pin_search_path('update_lead_last_interaction()');

CREATE TRIGGER update_lead_last_interaction
    AFTER INSERT ON messages
    REFERENCING NEW TABLE AS new_messages
    FOR EACH STATEMENT
    EXECUTE FUNCTION update_lead_last_interaction();

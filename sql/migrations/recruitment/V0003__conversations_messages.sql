-- recruitment V0003: conversations, and the messages in each of them.
-- Lock: SHARE ROW EXCLUSIVE on accounts, users, teams, inboxes and contacts for the foreign keys, catalog only;
--       the tables are new.

CREATE TABLE conversations (
    id SERIAL PRIMARY KEY,
    contact_id INT REFERENCES contacts (id) ON DELETE SET NULL,
    inbox_id INT NOT NULL REFERENCES inboxes (id) ON DELETE CASCADE,
    account_id INT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,

    status VARCHAR(50) DEFAULT 'open',
    assignee_id INT REFERENCES users (id) ON DELETE SET NULL,
    team_id INT REFERENCES teams (id) ON DELETE SET NULL,

    uuid UUID DEFAULT gen_random_uuid(),
    additional_attributes JSONB DEFAULT '{}'::JSONB,

    created_at TIMESTAMPTZ DEFAULT NOW(),
    updated_at TIMESTAMPTZ DEFAULT NOW(),
    last_activity_at TIMESTAMPTZ DEFAULT NOW(),

    CONSTRAINT conversations_status_check
        CHECK (status IN ('open', 'resolved', 'pending', 'snoozed'))
);

CREATE INDEX index_conversations_on_account_id ON conversations (account_id);
CREATE INDEX index_conversations_on_contact_id ON conversations (contact_id);
CREATE INDEX index_conversations_on_inbox_id ON conversations (inbox_id);
CREATE INDEX index_conversations_on_status ON conversations (status);
CREATE INDEX index_conversations_on_last_activity_at ON conversations (last_activity_at DESC);

-- Without these two, deleting a user or a team reads every conversation.
CREATE INDEX index_conversations_on_assignee_id ON conversations (assignee_id);
CREATE INDEX index_conversations_on_team_id ON conversations (team_id);

-- The uuid is what the outside world knows a conversation by.
CREATE UNIQUE INDEX index_conversations_on_uuid ON conversations (uuid);

CREATE TABLE messages (
    id SERIAL PRIMARY KEY,
    conversation_id INT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    account_id INT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,

    content TEXT,
    message_type VARCHAR(50) NOT NULL,
    content_type VARCHAR(50) DEFAULT 'text',  -- text, input_select, cards, form, article
    content_attributes JSONB DEFAULT '{}'::JSONB,

    -- The sender is a row of users or of contacts, or a bot: no foreign key can say so.
    sender_type VARCHAR(50),  -- User, Contact, AgentBot
    sender_id INT,

    status VARCHAR(50) DEFAULT 'sent',
    source_id VARCHAR(255),  -- the message's id at WhatsApp or Instagram

    external_source_id VARCHAR(255),
    additional_attributes JSONB DEFAULT '{}'::JSONB,

    created_at TIMESTAMPTZ DEFAULT NOW(),
    updated_at TIMESTAMPTZ DEFAULT NOW(),

    CONSTRAINT messages_message_type_check
        CHECK (message_type IN ('incoming', 'outgoing', 'activity', 'template')),
    CONSTRAINT messages_status_check
        CHECK (status IN ('sent', 'delivered', 'read', 'failed'))
);

CREATE INDEX index_messages_on_conversation_id ON messages (conversation_id);
CREATE INDEX index_messages_on_account_id ON messages (account_id);
CREATE INDEX index_messages_on_created_at ON messages (created_at DESC);
CREATE INDEX index_messages_on_source_id ON messages (source_id);

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON conversations
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON messages
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

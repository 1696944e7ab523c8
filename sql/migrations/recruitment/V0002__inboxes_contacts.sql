-- recruitment V0002: inboxes, the channels that conversations come in by, and contacts, the people who write.
-- Lock: SHARE ROW EXCLUSIVE on accounts for its foreign keys, catalog only; the tables are new.

CREATE TABLE inboxes (
    id SERIAL PRIMARY KEY,
    account_id INT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,

    name VARCHAR(255) NOT NULL,
    channel_type VARCHAR(50) NOT NULL,  -- Channel::WhatsApp, Channel::Api, Channel::Email

    greeting_enabled BOOLEAN DEFAULT FALSE,
    greeting_message TEXT,

    out_of_office_message TEXT,
    working_hours_enabled BOOLEAN DEFAULT FALSE,

    enable_auto_assignment BOOLEAN DEFAULT TRUE,

    created_at TIMESTAMPTZ DEFAULT NOW(),
    updated_at TIMESTAMPTZ DEFAULT NOW()
);

CREATE INDEX index_inboxes_on_account_id ON inboxes (account_id);

CREATE TABLE contacts (
    id SERIAL PRIMARY KEY,
    name VARCHAR(255),
    email VARCHAR(255),
    phone_number VARCHAR(50),
    identifier VARCHAR(255),  -- external id
    thumbnail VARCHAR(255),   -- URL of the profile image

    -- What the agents extract: lead_status, lead_source, qualification_score and so on.
    custom_attributes JSONB DEFAULT '{}'::JSONB,

    account_id INT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ DEFAULT NOW(),
    updated_at TIMESTAMPTZ DEFAULT NOW(),

    CONSTRAINT unique_email_per_account UNIQUE (email, account_id),
    CONSTRAINT unique_phone_per_account UNIQUE (phone_number, account_id)
);

CREATE INDEX index_contacts_on_account_id ON contacts (account_id);
CREATE INDEX index_contacts_on_email ON contacts (email);
CREATE INDEX index_contacts_on_phone_number ON contacts (phone_number);

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON inboxes
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON contacts
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

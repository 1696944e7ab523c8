-- recruitment V0005: channel_whatsapp and channel_api, how an account reaches WhatsApp and its own webhooks.
--                    Both hold secrets (provider_config.api_key, hmac_token): only the owner reads them.
-- Lock: SHARE ROW EXCLUSIVE on accounts for the foreign keys, catalog only; the tables are new.

CREATE TABLE channel_whatsapp (
    id SERIAL PRIMARY KEY,
    account_id INT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,

    phone_number VARCHAR(50) NOT NULL,
    provider VARCHAR(50) NOT NULL,  -- whatsapp_cloud, 360dialog
    provider_config JSONB DEFAULT '{}'::JSONB,

    message_templates JSONB DEFAULT '[]'::JSONB,

    created_at TIMESTAMPTZ DEFAULT NOW(),
    updated_at TIMESTAMPTZ DEFAULT NOW(),

    -- Not unique_phone_per_account: an index of that name belongs to contacts, and a schema has one of each.
    CONSTRAINT unique_whatsapp_phone_per_account UNIQUE (phone_number, account_id)
);

CREATE INDEX index_channel_whatsapp_on_account_id ON channel_whatsapp (account_id);

CREATE TABLE channel_api (
    id SERIAL PRIMARY KEY,
    account_id INT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,

    webhook_url VARCHAR(255),
    hmac_token VARCHAR(255),
    hmac_mandatory BOOLEAN DEFAULT FALSE,

    created_at TIMESTAMPTZ DEFAULT NOW(),
    updated_at TIMESTAMPTZ DEFAULT NOW()
);

CREATE INDEX index_channel_api_on_account_id ON channel_api (account_id);

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON channel_whatsapp
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON channel_api
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

-- recruitment V0004: labels, and which contact carries which.
-- Lock: SHARE ROW EXCLUSIVE on accounts and contacts for the foreign keys, catalog only; the tables are new.

CREATE TABLE labels (
    id SERIAL PRIMARY KEY,
    account_id INT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,

    title VARCHAR(255) NOT NULL,
    description TEXT,
    color VARCHAR(7) NOT NULL DEFAULT '#1f93ff',

    show_on_sidebar BOOLEAN DEFAULT TRUE,

    created_at TIMESTAMPTZ DEFAULT NOW(),
    updated_at TIMESTAMPTZ DEFAULT NOW(),

    CONSTRAINT unique_label_per_account UNIQUE (title, account_id)
);

CREATE INDEX index_labels_on_account_id ON labels (account_id);

CREATE TABLE contact_labels (
    id SERIAL PRIMARY KEY,
    contact_id INT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    label_id INT NOT NULL REFERENCES labels (id) ON DELETE CASCADE,

    created_at TIMESTAMPTZ DEFAULT NOW(),
    updated_at TIMESTAMPTZ DEFAULT NOW(),

    CONSTRAINT unique_contact_label UNIQUE (contact_id, label_id)
);

CREATE INDEX index_contact_labels_on_contact_id ON contact_labels (contact_id);
CREATE INDEX index_contact_labels_on_label_id ON contact_labels (label_id);

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON labels
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON contact_labels
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

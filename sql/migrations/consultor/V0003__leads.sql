-- consultor V0003: leads, the people who write to a consultant's bot: one a consultant and WhatsApp number.
-- Lock: SHARE ROW EXCLUSIVE on consultants for the foreign key, held for catalog changes only; the table is new.

CREATE TABLE leads (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    consultant_id UUID NOT NULL REFERENCES consultants (id) ON DELETE CASCADE,
    whatsapp_number VARCHAR(20) NOT NULL,
    name VARCHAR(100),
    profile_name VARCHAR(100),
    status VARCHAR(20) NOT NULL DEFAULT 'novo'
        CHECK (status IN ('novo', 'em_contato', 'agendado', 'fechado', 'perdido')),
    respostas JSONB DEFAULT '{}',
    metadata JSONB DEFAULT '{}',
    last_interaction_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),

    UNIQUE (consultant_id, whatsapp_number),
    CONSTRAINT valid_lead_respostas CHECK (jsonb_typeof(respostas) = 'object'),
    CONSTRAINT valid_lead_metadata CHECK (jsonb_typeof(metadata) = 'object')
);

COMMENT ON TABLE leads IS 'Potential customers who talk to a consultant''s bot';
COMMENT ON COLUMN leads.profile_name IS 'WhatsApp profile name';
COMMENT ON COLUMN leads.respostas IS 'Answers of the flow: {"perfil": "familia", "idade": "31_45", "copart": "nao"}';
COMMENT ON COLUMN leads.metadata IS 'Where the lead came from: {"source": "instagram", "utm_campaign": "black_friday"}';
COMMENT ON COLUMN leads.last_interaction_at IS 'Time of the newest message (moved forward by a trigger on messages)';

-- A lookup by consultant alone uses the first column of the UNIQUE above.
CREATE INDEX idx_leads_whatsapp ON leads (whatsapp_number);
CREATE INDEX idx_leads_status ON leads (status);
CREATE INDEX idx_leads_created_at ON leads (created_at DESC);
CREATE INDEX idx_leads_last_interaction ON leads (last_interaction_at DESC);
CREATE INDEX idx_leads_respostas_gin ON leads USING GIN (respostas);

CREATE TRIGGER update_leads_updated_at
    BEFORE UPDATE ON leads
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION update_updated_at_column();

ALTER TABLE leads ENABLE ROW LEVEL SECURITY;

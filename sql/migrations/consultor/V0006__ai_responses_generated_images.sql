-- consultor V0006: what the language model answered, and the comparison images made for leads.
-- Lock: SHARE ROW EXCLUSIVE on consultants, leads and conversations for the foreign keys, held for catalog changes only;
--       the tables are new.

CREATE TABLE ai_responses (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    lead_id UUID REFERENCES leads (id) ON DELETE SET NULL,
    conversation_id UUID REFERENCES conversations (id) ON DELETE SET NULL,
    prompt TEXT NOT NULL,
    response TEXT NOT NULL,
    model VARCHAR(50) NOT NULL,
    tokens_used INTEGER,
    latency_ms INTEGER,
    was_cached BOOLEAN NOT NULL DEFAULT FALSE,
    compliance_check_passed BOOLEAN NOT NULL DEFAULT TRUE,
    compliance_flags JSONB DEFAULT '[]',
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),

    CONSTRAINT valid_ai_compliance_flags CHECK (jsonb_typeof(compliance_flags) = 'array')
);

COMMENT ON TABLE ai_responses IS 'AI answers, for cost (tokens_used), speed (latency_ms) and compliance';
COMMENT ON COLUMN ai_responses.prompt IS 'The whole prompt sent to the model';

CREATE INDEX idx_ai_responses_lead_id ON ai_responses (lead_id);
CREATE INDEX idx_ai_responses_conversation_id ON ai_responses (conversation_id);
CREATE INDEX idx_ai_responses_created_at ON ai_responses (created_at DESC);
CREATE INDEX idx_ai_responses_model ON ai_responses (model);
CREATE INDEX idx_ai_responses_compliance ON ai_responses (created_at DESC) WHERE NOT compliance_check_passed;

ALTER TABLE ai_responses ENABLE ROW LEVEL SECURITY;

CREATE TABLE generated_images (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    lead_id UUID REFERENCES leads (id) ON DELETE SET NULL,
    consultant_id UUID REFERENCES consultants (id) ON DELETE SET NULL,
    template_id VARCHAR(100) NOT NULL,
    template_data JSONB NOT NULL,
    image_url TEXT NOT NULL,
    file_size_bytes INTEGER,
    generation_time_ms INTEGER,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),

    CONSTRAINT valid_image_template_data CHECK (jsonb_typeof(template_data) = 'object')
);

COMMENT ON TABLE generated_images IS 'Comparison images made for leads';
COMMENT ON COLUMN generated_images.template_id IS 'Canva template id';

CREATE INDEX idx_generated_images_lead_id ON generated_images (lead_id);
CREATE INDEX idx_generated_images_consultant_id ON generated_images (consultant_id);
CREATE INDEX idx_generated_images_created_at ON generated_images (created_at DESC);

ALTER TABLE generated_images ENABLE ROW LEVEL SECURITY;

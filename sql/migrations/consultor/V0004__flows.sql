-- consultor V0004: flows, what the bot asks and in which order: templates of the system and flows of a consultant.
-- Lock: SHARE ROW EXCLUSIVE on consultants for the foreign key, held for catalog changes only; the table is new.

CREATE TABLE flows (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name VARCHAR(100) NOT NULL,
    vertical VARCHAR(50) NOT NULL
        CHECK (vertical IN ('health_plans', 'real_estate', 'automotive', 'insurance')),
    description TEXT,
    definition JSONB NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    is_template BOOLEAN NOT NULL DEFAULT FALSE,
    created_by UUID REFERENCES consultants (id) ON DELETE SET NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),

    CONSTRAINT valid_flow_definition CHECK (jsonb_typeof(definition) = 'object')
);

COMMENT ON TABLE flows IS 'Conversation flows (JSON)';
COMMENT ON COLUMN flows.definition IS 'Steps, questions and actions; what is inside the object is the application''s to check';
COMMENT ON COLUMN flows.is_template IS 'A template of the system, seen by every consultant; else a flow of created_by only';
COMMENT ON COLUMN flows.created_by IS 'NULL for templates of the system';

CREATE INDEX idx_flows_vertical ON flows (vertical);
CREATE INDEX idx_flows_is_active ON flows (vertical, name) WHERE is_active;
CREATE INDEX idx_flows_created_by ON flows (created_by);
CREATE INDEX idx_flows_definition_gin ON flows USING GIN (definition);

-- A template is there once for each version, so that loading the defaults again adds nothing.
CREATE UNIQUE INDEX idx_flows_template_unique ON flows (name, vertical, version) WHERE is_template;

CREATE TRIGGER update_flows_updated_at
    BEFORE UPDATE ON flows
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION update_updated_at_column();

ALTER TABLE flows ENABLE ROW LEVEL SECURITY;

-- fsm V0019: estimations of the sales systems, assessments of orders over time, and ids of other systems.
-- Lock: SHARE ROW EXCLUSIVE on service_orders for the foreign keys; the tables are new, nothing is scanned.

CREATE TABLE public.sales_pre_estimations (
    id VARCHAR(100) PRIMARY KEY,
    sales_system_id VARCHAR(50) NOT NULL,
    customer_id UUID NOT NULL,
    estimated_value DECIMAL(12,2) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    product_categories TEXT[] NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    valid_until TIMESTAMPTZ,
    salesman_id VARCHAR(100),
    salesman_notes TEXT,
    confidence_level VARCHAR(20) CHECK (confidence_level IN ('LOW', 'MEDIUM', 'HIGH')),
    metadata JSONB
);

CREATE INDEX idx_pre_estimation_customer ON public.sales_pre_estimations (customer_id);
CREATE INDEX idx_pre_estimation_value ON public.sales_pre_estimations (estimated_value DESC);
CREATE INDEX idx_pre_estimation_system ON public.sales_pre_estimations (sales_system_id);
CREATE INDEX idx_pre_estimation_valid_until ON public.sales_pre_estimations (valid_until) WHERE valid_until IS NOT NULL;

COMMENT ON COLUMN public.sales_pre_estimations.id IS 'ID that the sales system gave it';
COMMENT ON COLUMN public.sales_pre_estimations.sales_system_id IS
    'The CODE of the sales system (PYXIS, TEMPO, SAP), not sales_systems.id, which is a UUID';

CREATE TABLE public.sales_potential_assessments (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    service_order_id UUID NOT NULL REFERENCES public.service_orders (id) ON DELETE CASCADE,
    assessed_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    potential_level VARCHAR(20) NOT NULL CHECK (potential_level IN ('LOW', 'MEDIUM', 'HIGH')),
    potential_score DECIMAL(5,2) NOT NULL,
    model_version VARCHAR(50) NOT NULL,
    input_features JSONB NOT NULL,
    contributing_factors JSONB NOT NULL,

    CONSTRAINT valid_potential_score
        CHECK (potential_score BETWEEN 0 AND 100)
);

CREATE INDEX idx_potential_assessments_so ON public.sales_potential_assessments (service_order_id);
CREATE INDEX idx_potential_assessments_level ON public.sales_potential_assessments (potential_level, assessed_at);
CREATE INDEX idx_potential_assessments_assessed_at ON public.sales_potential_assessments (assessed_at DESC);

CREATE TABLE public.risk_assessments (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    service_order_id UUID NOT NULL REFERENCES public.service_orders (id) ON DELETE CASCADE,
    assessed_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    risk_level VARCHAR(20) NOT NULL CHECK (risk_level IN ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL')),
    risk_score DECIMAL(5,2) NOT NULL,
    model_version VARCHAR(50) NOT NULL,
    input_features JSONB NOT NULL,
    risk_factors JSONB NOT NULL,
    triggered_by VARCHAR(50) NOT NULL,

    CONSTRAINT valid_risk_score
        CHECK (risk_score BETWEEN 0 AND 100)
);

CREATE INDEX idx_risk_assessments_so ON public.risk_assessments (service_order_id);
CREATE INDEX idx_risk_assessments_level ON public.risk_assessments (risk_level, assessed_at);
CREATE INDEX idx_risk_assessments_assessed_at ON public.risk_assessments (assessed_at DESC);
CREATE INDEX idx_risk_assessments_triggered_by ON public.risk_assessments (triggered_by);

COMMENT ON COLUMN public.risk_assessments.triggered_by IS 'BATCH_JOB, EVENT_CLAIM_FILED, EVENT_RESCHEDULE and the like';

CREATE TABLE public.external_reference_mappings (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    fsm_entity_type VARCHAR(50) NOT NULL,
    fsm_entity_id UUID NOT NULL,
    external_system_source VARCHAR(50) NOT NULL,
    external_reference_type VARCHAR(50) NOT NULL,
    external_reference_id VARCHAR(100) NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    metadata JSONB
);

CREATE INDEX idx_external_ref_fsm_entity ON public.external_reference_mappings (fsm_entity_type, fsm_entity_id);
CREATE INDEX idx_external_ref_external
    ON public.external_reference_mappings (external_system_source, external_reference_type, external_reference_id);
CREATE INDEX idx_external_ref_created_at ON public.external_reference_mappings (created_at DESC);

COMMENT ON COLUMN public.external_reference_mappings.fsm_entity_type IS 'SERVICE_ORDER, PROJECT, CUSTOMER';
COMMENT ON COLUMN public.external_reference_mappings.external_system_source IS 'PYXIS, TEMPO, SAP';
COMMENT ON COLUMN public.external_reference_mappings.external_reference_type IS
    'SALES_ORDER, PROJECT, LEAD, CUSTOMER, PRODUCT';

GRANT SELECT, INSERT, UPDATE, DELETE ON public.sales_pre_estimations, public.external_reference_mappings TO fsm_app;

-- Assessments are a trail: written once, never changed by the application.
GRANT SELECT, INSERT ON public.sales_potential_assessments, public.risk_assessments TO fsm_app;

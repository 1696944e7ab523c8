-- fsm V0015: the systems that orders come from, and which business unit uses which.
-- Lock: SHARE ROW EXCLUSIVE on business_units for the foreign key; the tables are new, nothing is scanned.

CREATE TABLE public.sales_systems (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name VARCHAR(100) NOT NULL,
    code VARCHAR(50) UNIQUE NOT NULL,
    vendor VARCHAR(100),
    description TEXT,
    api_base_url VARCHAR(500),
    api_version VARCHAR(20),
    authentication_type VARCHAR(50),
    is_active BOOLEAN DEFAULT TRUE,
    supported_countries VARCHAR(2)[],
    configuration JSONB,
    data_mapping JSONB,
    created_at TIMESTAMPTZ DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now()
);

CREATE INDEX idx_sales_systems_is_active ON public.sales_systems (is_active);

COMMENT ON COLUMN public.sales_systems.code IS 'PYXIS, TEMPO, SAP_COMMERCE';
COMMENT ON COLUMN public.sales_systems.data_mapping IS 'Which field of the sales system is which field here';

CREATE TABLE public.business_unit_sales_systems (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    business_unit_id UUID NOT NULL REFERENCES public.business_units (id),
    sales_system_id UUID NOT NULL REFERENCES public.sales_systems (id),
    is_primary BOOLEAN DEFAULT FALSE,
    priority INTEGER DEFAULT 100,
    is_active BOOLEAN DEFAULT TRUE,
    configuration JSONB,
    created_at TIMESTAMPTZ DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now(),
    UNIQUE (business_unit_id, sales_system_id)
);

CREATE INDEX idx_bu_sales_systems_sales_system_id ON public.business_unit_sales_systems (sales_system_id);

-- One primary system for a business unit, any number of others.
CREATE UNIQUE INDEX idx_bu_sales_systems_is_primary
    ON public.business_unit_sales_systems (business_unit_id)
    WHERE is_primary = TRUE;

CREATE TRIGGER set_timestamp
    BEFORE UPDATE ON public.sales_systems
    FOR EACH ROW
    EXECUTE FUNCTION public.trigger_set_timestamp();

CREATE TRIGGER set_timestamp
    BEFORE UPDATE ON public.business_unit_sales_systems
    FOR EACH ROW
    EXECUTE FUNCTION public.trigger_set_timestamp();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.sales_systems, public.business_unit_sales_systems TO fsm_app;

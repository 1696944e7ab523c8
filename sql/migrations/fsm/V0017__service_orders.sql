-- fsm V0017: service orders, each from one order line of one sales system.
-- Lock: SHARE ROW EXCLUSIVE on the tables that the foreign keys point to; the table is new, nothing is scanned.

CREATE TABLE public.service_orders (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),

    -- Multi-tenancy
    country_code VARCHAR(2) NOT NULL REFERENCES public.countries (code),
    business_unit_id UUID NOT NULL REFERENCES public.business_units (id),
    store_id UUID NOT NULL REFERENCES public.stores (id),

    -- Sales system context
    sales_system_id UUID NOT NULL REFERENCES public.sales_systems (id),
    sales_channel VARCHAR(50) NOT NULL,
    sales_order_id VARCHAR(255) NOT NULL,
    sales_order_number VARCHAR(100),
    sales_order_line_id VARCHAR(255),
    sales_order_metadata JSONB,

    -- Project and service details
    project_id UUID REFERENCES public.projects (id),
    service_type VARCHAR(50) NOT NULL,
    product_category VARCHAR(100),
    product_sku VARCHAR(100),
    product_name VARCHAR(500),

    -- Customer
    customer_id UUID NOT NULL,
    customer_name VARCHAR(255),
    customer_phone VARCHAR(50),
    customer_email VARCHAR(255),
    service_address JSONB NOT NULL,

    -- Dates and status
    order_date TIMESTAMPTZ NOT NULL,
    requested_date DATE,
    scheduled_date DATE,
    status VARCHAR(50) NOT NULL,
    priority VARCHAR(10),

    -- Financial
    order_value_cents BIGINT,
    service_fee_cents BIGINT,

    created_at TIMESTAMPTZ DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now(),

    -- External references
    external_sales_order_id VARCHAR(100),
    external_project_id VARCHAR(100),
    external_lead_id VARCHAR(100),
    external_system_source VARCHAR(50),

    -- Sales potential
    sales_potential VARCHAR(20) DEFAULT 'LOW' CHECK (sales_potential IN ('LOW', 'MEDIUM', 'HIGH')),
    sales_potential_score DECIMAL(5,2),
    sales_potential_updated_at TIMESTAMPTZ,
    sales_pre_estimation_id VARCHAR(100),
    sales_pre_estimation_value DECIMAL(12,2),
    sales_pre_estimation_currency VARCHAR(3),
    salesman_notes TEXT,

    -- Risk
    risk_level VARCHAR(20) DEFAULT 'LOW' CHECK (risk_level IN ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL')),
    risk_score DECIMAL(5,2),
    risk_assessed_at TIMESTAMPTZ,
    risk_factors JSONB,
    risk_acknowledged_by UUID REFERENCES auth.users (id),
    risk_acknowledged_at TIMESTAMPTZ,

    -- What operator_workload sums up
    estimated_duration_minutes INTEGER,

    CONSTRAINT valid_sales_channel
        CHECK (sales_channel IN ('IN_STORE', 'ONLINE', 'PHONE', 'PARTNER', 'B2B', 'MOBILE_APP')),
    CONSTRAINT valid_sales_potential_score
        CHECK (sales_potential_score BETWEEN 0 AND 100),
    CONSTRAINT valid_risk_score
        CHECK (risk_score BETWEEN 0 AND 100),
    CONSTRAINT valid_estimated_duration
        CHECK (estimated_duration_minutes >= 0)
);

-- country_code and sales_system_id have no index of their own: the composite ones begin with them.
CREATE INDEX idx_service_orders_business_unit_id ON public.service_orders (business_unit_id);
CREATE INDEX idx_service_orders_store_id ON public.service_orders (store_id);
CREATE INDEX idx_service_orders_sales_channel ON public.service_orders (sales_channel);
CREATE INDEX idx_service_orders_sales_order_id ON public.service_orders (sales_order_id);
CREATE INDEX idx_service_orders_project_id ON public.service_orders (project_id);
CREATE INDEX idx_service_orders_status ON public.service_orders (status);
CREATE INDEX idx_service_orders_order_date ON public.service_orders (order_date);
CREATE INDEX idx_service_orders_scheduled_date ON public.service_orders (scheduled_date) WHERE scheduled_date IS NOT NULL;
CREATE INDEX idx_service_orders_country_bu_store ON public.service_orders (country_code, business_unit_id, store_id);
CREATE INDEX idx_service_orders_sales_system_channel ON public.service_orders (sales_system_id, sales_channel);

-- An order line arrives once; an order without lines counts as one line.
CREATE UNIQUE INDEX idx_service_orders_sales_order_unique
    ON public.service_orders (sales_system_id, sales_order_id, sales_order_line_id)
    NULLS NOT DISTINCT;

CREATE INDEX idx_so_external_sales_order ON public.service_orders (external_system_source, external_sales_order_id)
    WHERE external_sales_order_id IS NOT NULL;
CREATE INDEX idx_so_external_project ON public.service_orders (external_system_source, external_project_id)
    WHERE external_project_id IS NOT NULL;
CREATE INDEX idx_so_external_lead ON public.service_orders (external_system_source, external_lead_id)
    WHERE external_lead_id IS NOT NULL;

CREATE INDEX idx_so_sales_potential ON public.service_orders (sales_potential)
    WHERE service_type IN ('TV', 'QUOTATION');
CREATE INDEX idx_so_pre_estimation ON public.service_orders (sales_pre_estimation_id)
    WHERE sales_pre_estimation_id IS NOT NULL;

CREATE INDEX idx_so_risk_level ON public.service_orders (risk_level)
    WHERE risk_level IN ('HIGH', 'CRITICAL');
CREATE INDEX idx_so_risk_assessed_at ON public.service_orders (risk_assessed_at);
CREATE INDEX idx_so_risk_acknowledged_by ON public.service_orders (risk_acknowledged_by)
    WHERE risk_acknowledged_by IS NOT NULL;

CREATE INDEX idx_so_dashboard_risk_potential
    ON public.service_orders (risk_level, sales_potential, status, scheduled_date)
    WHERE service_type IN ('TV', 'QUOTATION', 'INSTALLATION');

COMMENT ON COLUMN public.service_orders.sales_order_id IS 'ID of the order in the sales system';
COMMENT ON COLUMN public.service_orders.sales_order_line_id IS 'Line of the order, where it has several services';
COMMENT ON COLUMN public.service_orders.priority IS 'P1, P2';
COMMENT ON COLUMN public.service_orders.external_system_source IS 'PYXIS, TEMPO, SAP and the like';
COMMENT ON COLUMN public.service_orders.sales_pre_estimation_id IS 'sales_pre_estimations.id, which may arrive later';
COMMENT ON COLUMN public.service_orders.sales_potential_score IS '0.00 to 100.00';
COMMENT ON COLUMN public.service_orders.risk_score IS '0.00 to 100.00';

CREATE TRIGGER set_timestamp
    BEFORE UPDATE ON public.service_orders
    FOR EACH ROW
    EXECUTE FUNCTION public.trigger_set_timestamp();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.service_orders TO fsm_app;

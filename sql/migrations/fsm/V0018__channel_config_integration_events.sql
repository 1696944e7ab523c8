-- fsm V0018: rules of each sales channel, and what the sales systems have sent.
-- Lock: SHARE ROW EXCLUSIVE on the tables that the foreign keys point to; the tables are new, nothing is scanned.

CREATE TABLE public.sales_channel_configurations (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    business_unit_id UUID NOT NULL REFERENCES public.business_units (id),
    sales_channel VARCHAR(50) NOT NULL,

    sla_p1_hours INTEGER,
    sla_p2_hours INTEGER,

    pricing_markup_percentage DECIMAL(5,2),
    discount_percentage DECIMAL(5,2),

    allow_same_day_scheduling BOOLEAN DEFAULT FALSE,
    require_customer_confirmation BOOLEAN DEFAULT TRUE,
    auto_assign BOOLEAN DEFAULT FALSE,

    send_sms_notifications BOOLEAN DEFAULT TRUE,
    send_email_notifications BOOLEAN DEFAULT TRUE,
    notification_language VARCHAR(10),

    rules JSONB,

    is_active BOOLEAN DEFAULT TRUE,
    created_at TIMESTAMPTZ DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now(),

    UNIQUE (business_unit_id, sales_channel)
);

CREATE INDEX idx_sales_channel_config_channel ON public.sales_channel_configurations (sales_channel);

CREATE TABLE public.sales_system_integration_events (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    sales_system_id UUID NOT NULL REFERENCES public.sales_systems (id),
    event_type VARCHAR(100) NOT NULL,
    sales_order_id VARCHAR(255),
    service_order_id UUID REFERENCES public.service_orders (id),
    status VARCHAR(50) NOT NULL,
    payload JSONB,
    error_message TEXT,
    retry_count INTEGER DEFAULT 0,
    processed_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ DEFAULT now()
);

CREATE INDEX idx_integration_events_sales_system_id ON public.sales_system_integration_events (sales_system_id);
CREATE INDEX idx_integration_events_event_type ON public.sales_system_integration_events (event_type);
CREATE INDEX idx_integration_events_status ON public.sales_system_integration_events (status);
CREATE INDEX idx_integration_events_sales_order_id ON public.sales_system_integration_events (sales_order_id);
CREATE INDEX idx_integration_events_service_order_id ON public.sales_system_integration_events (service_order_id);
CREATE INDEX idx_integration_events_created_at ON public.sales_system_integration_events (created_at);

COMMENT ON COLUMN public.sales_system_integration_events.event_type IS
    'ORDER_RECEIVED, ORDER_UPDATED, ORDER_CANCELLED, SYNC_ERROR and the like';
COMMENT ON COLUMN public.sales_system_integration_events.status IS 'SUCCESS, FAILURE, PENDING, RETRY';

CREATE TRIGGER set_timestamp
    BEFORE UPDATE ON public.sales_channel_configurations
    FOR EACH ROW
    EXECUTE FUNCTION public.trigger_set_timestamp();

GRANT SELECT, INSERT, UPDATE, DELETE
    ON public.sales_channel_configurations, public.sales_system_integration_events
    TO fsm_app;

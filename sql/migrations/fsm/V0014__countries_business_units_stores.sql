-- fsm V0014: where things are sold: countries, business units, stores.
-- Lock: none that anybody could wait for; the tables are new.
--
-- No row level security on the sales tables (V0014 to V0020): the document names no rule that would tell tenants
-- apart. Whoever is fsm_app sees and changes them all.

CREATE TABLE public.countries (
    code VARCHAR(2) PRIMARY KEY,
    name VARCHAR(100) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    timezone VARCHAR(50) NOT NULL,
    locale VARCHAR(10) NOT NULL,
    is_active BOOLEAN DEFAULT TRUE,
    configuration JSONB,
    created_at TIMESTAMPTZ DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now()
);

CREATE INDEX idx_countries_is_active ON public.countries (is_active);

COMMENT ON COLUMN public.countries.code IS 'ISO 3166-1 alpha-2: ES, FR, IT, PL';
COMMENT ON COLUMN public.countries.currency IS 'ISO 4217: EUR, PLN';
COMMENT ON COLUMN public.countries.configuration IS 'Tax rates, regulations and the like';

CREATE TABLE public.business_units (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    country_code VARCHAR(2) NOT NULL REFERENCES public.countries (code),
    code VARCHAR(50) NOT NULL UNIQUE,
    name VARCHAR(100) NOT NULL,
    type VARCHAR(50),
    is_active BOOLEAN DEFAULT TRUE,
    configuration JSONB,
    created_at TIMESTAMPTZ DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now(),
    UNIQUE (country_code, code)
);

CREATE INDEX idx_business_units_is_active ON public.business_units (is_active);

COMMENT ON COLUMN public.business_units.code IS 'LM_ES, BD_FR and the like';
COMMENT ON COLUMN public.business_units.type IS 'RETAIL, B2B, FRANCHISE';

CREATE TABLE public.stores (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    business_unit_id UUID NOT NULL REFERENCES public.business_units (id),
    store_code VARCHAR(50) NOT NULL,
    name VARCHAR(255) NOT NULL,
    address JSONB NOT NULL,
    phone VARCHAR(50),
    email VARCHAR(255),
    is_active BOOLEAN DEFAULT TRUE,
    operational_hours JSONB,
    configuration JSONB,
    created_at TIMESTAMPTZ DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now(),
    UNIQUE (business_unit_id, store_code)
);

CREATE INDEX idx_stores_is_active ON public.stores (is_active);

-- A store whose address names no city is found by its name.
CREATE INDEX idx_stores_search ON public.stores USING gin (
    to_tsvector('simple', name || ' ' || COALESCE(address ->> 'city', ''))
);

CREATE TRIGGER set_timestamp
    BEFORE UPDATE ON public.countries
    FOR EACH ROW
    EXECUTE FUNCTION public.trigger_set_timestamp();

CREATE TRIGGER set_timestamp
    BEFORE UPDATE ON public.business_units
    FOR EACH ROW
    EXECUTE FUNCTION public.trigger_set_timestamp();

CREATE TRIGGER set_timestamp
    BEFORE UPDATE ON public.stores
    FOR EACH ROW
    EXECUTE FUNCTION public.trigger_set_timestamp();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.countries, public.business_units, public.stores TO fsm_app;

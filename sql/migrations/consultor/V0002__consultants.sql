-- consultor V0002: consultants, the people who sell with the assistant. Row security is on from the start: until V0009
--                  adds policies nobody but the owner sees a row.
-- Lock: none that anybody could wait for; the table is new.

CREATE TABLE consultants (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    email VARCHAR(255) NOT NULL UNIQUE,
    password_hash VARCHAR(255) NOT NULL,
    name VARCHAR(100) NOT NULL,
    bio TEXT,
    crm_number VARCHAR(50),
    whatsapp_number VARCHAR(20) NOT NULL,
    vertical VARCHAR(50) NOT NULL
        CHECK (vertical IN ('health_plans', 'real_estate', 'automotive', 'insurance')),
    slug VARCHAR(100) NOT NULL UNIQUE,
    profile_image_url TEXT,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    subscription_tier VARCHAR(20) NOT NULL DEFAULT 'free'
        CHECK (subscription_tier IN ('free', 'pro', 'agency')),
    subscription_expires_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),

    -- Kept by the trigger below; purge_closed_consultants() counts from here.
    deactivated_at TIMESTAMPTZ
);

COMMENT ON TABLE consultants IS 'Sales consultants who use the platform';
COMMENT ON COLUMN consultants.id IS 'The auth user''s id: insert it, the default never equals a JWT subject';
COMMENT ON COLUMN consultants.crm_number IS 'Professional registration (CRM/CRECI)';
COMMENT ON COLUMN consultants.whatsapp_number IS 'As +55XXYYYYYYYYYY';
COMMENT ON COLUMN consultants.bio IS 'At most 200 characters, kept by the application';
COMMENT ON COLUMN consultants.slug IS 'URL-safe identifier, made from the name where the insert gives none';
COMMENT ON COLUMN consultants.deactivated_at IS 'Since when is_active is false; the data is purged 90 days later';

-- The UNIQUE email and slug have their own indexes.
CREATE INDEX idx_consultants_whatsapp ON consultants (whatsapp_number);
CREATE INDEX idx_consultants_vertical ON consultants (vertical);

CREATE TRIGGER update_consultants_updated_at
    BEFORE UPDATE ON consultants
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION update_updated_at_column();

-- An active consultant has no date of closure, an inactive one always has: the first one, unless the statement
-- gives another.
CREATE FUNCTION set_deactivated_at()
RETURNS TRIGGER
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.is_active THEN
        NEW.deactivated_at := NULL;
    ELSIF NEW.deactivated_at IS NULL THEN
        NEW.deactivated_at := clock_timestamp();
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER set_consultants_deactivated_at
    BEFORE INSERT OR UPDATE OF is_active, deactivated_at ON consultants
    FOR EACH ROW
    EXECUTE FUNCTION set_deactivated_at();

ALTER TABLE consultants ENABLE ROW LEVEL SECURITY;

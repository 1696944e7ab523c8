-- consultor V0008: slugs, audit entries, and the audit of deletions.
-- Lock: SHARE ROW EXCLUSIVE on consultants and leads for their triggers, held for catalog changes only.

-- A slug that no consultant has: 'João da Silva' -> 'joao-da-silva', the next one 'joao-da-silva-1'.
-- Runs with the owner's rights: under row security the caller would not see the slugs of the others. Two callers at once
-- may get the same one; the UNIQUE constraint refuses the second (23505), who asks again.
CREATE FUNCTION generate_slug(input_name TEXT)
RETURNS TEXT
LANGUAGE sql
VOLATILE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH plain AS (
        -- NFKD takes accents off their letters. COLLATE "C": in some locales lower('I') is not 'i'.
        SELECT lower(
            replace(replace(replace(replace(replace(replace(
                translate(
                    regexp_replace(normalize(COALESCE(input_name, ''), NFKD), '[\u0300-\u036f]', '', 'g'),
                    'ØøŁłĐđÐðı',
                    'OoLlDdDdi'
                ),
                'ß', 'ss'), 'Æ', 'AE'), 'æ', 'ae'), 'Œ', 'OE'), 'œ', 'oe'), 'ẞ', 'SS')
            COLLATE "C"
        ) AS name
    ), hyphenated AS (
        -- 90 of the 100 characters: the rest is for the number.
        SELECT btrim(left(btrim(
            regexp_replace(regexp_replace(p.name, '[^a-z0-9\s-]', '', 'g'), '[\s-]+', '-', 'g'),
        '-'), 90), '-') AS slug
        FROM plain AS p
    ), base AS (
        SELECT COALESCE(NULLIF(h.slug, ''), 'consultor') COLLATE "default" AS slug
        FROM hyphenated AS h
    )
    -- Of n + 1 candidates n taken slugs leave one free.
    SELECT candidate.slug
    FROM base AS b
    CROSS JOIN LATERAL (
        SELECT count(*)::INTEGER AS taken
        FROM consultants AS c
        WHERE c.slug = b.slug
           OR c.slug LIKE b.slug || '-%'
    ) AS others
    CROSS JOIN LATERAL generate_series(0, others.taken) AS g (n)
    CROSS JOIN LATERAL (
        SELECT b.slug || CASE WHEN g.n = 0 THEN '' ELSE '-' || g.n END
    ) AS candidate (slug)
    WHERE NOT EXISTS (SELECT FROM consultants AS c WHERE c.slug = candidate.slug)
    ORDER BY g.n
    LIMIT 1;
END;

REVOKE EXECUTE ON FUNCTION generate_slug(TEXT) FROM PUBLIC, anon;
GRANT EXECUTE ON FUNCTION generate_slug(TEXT) TO authenticated, service_role;

COMMENT ON FUNCTION generate_slug(TEXT) IS 'A free URL-safe slug for a name';

CREATE FUNCTION set_consultant_slug()
RETURNS TRIGGER
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.slug := generate_slug(NEW.name::TEXT);
    RETURN NEW;
END;
$$;

SELECT pin_search_path('set_consultant_slug()');

CREATE TRIGGER set_consultants_slug
    BEFORE INSERT ON consultants
    FOR EACH ROW
    WHEN (NEW.slug IS NULL)
    EXECUTE FUNCTION set_consultant_slug();

-- Adds to the audit trail. With the owner's rights, and for service_role only: nobody else can write into the trail.
CREATE FUNCTION log_audit_event(
    p_consultant_id UUID,
    p_action VARCHAR(50),
    p_resource_type VARCHAR(50) DEFAULT NULL,
    p_resource_id UUID DEFAULT NULL,
    p_details JSONB DEFAULT '{}',
    p_ip_address INET DEFAULT NULL,
    p_user_agent TEXT DEFAULT NULL
)
RETURNS VOID
LANGUAGE sql
VOLATILE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO audit_logs (consultant_id, action, resource_type, resource_id, details, ip_address, user_agent)
    VALUES (p_consultant_id, p_action, p_resource_type, p_resource_id, COALESCE(p_details, '{}'), p_ip_address, p_user_agent);
END;

REVOKE EXECUTE ON FUNCTION log_audit_event(UUID, VARCHAR, VARCHAR, UUID, JSONB, INET, TEXT) FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION log_audit_event(UUID, VARCHAR, VARCHAR, UUID, JSONB, INET, TEXT) TO service_role;

COMMENT ON FUNCTION log_audit_event(UUID, VARCHAR, VARCHAR, UUID, JSONB, INET, TEXT) IS 'Adds an entry to the audit trail';

-- Deletions of consultants and leads leave a trace (LGPD), whoever deletes them: ids only, nothing personal.
-- The consultant may be gone already when the deletion of a lead is a consequence.
CREATE FUNCTION audit_deletion()
RETURNS TRIGGER
LANGUAGE plpgsql
AS $$
DECLARE
    v_row JSONB := pg_catalog.to_jsonb(OLD);
    v_consultant UUID := COALESCE(v_row ->> 'consultant_id'::TEXT, v_row ->> 'id'::TEXT)::UUID;
BEGIN
    PERFORM log_audit_event(
        (SELECT c.id FROM consultants AS c WHERE c.id = v_consultant),
        'data_deleted'::VARCHAR,
        TG_ARGV[0]::VARCHAR,
        OLD.id,
        pg_catalog.jsonb_build_object('consultant_id', v_consultant),
        NULL::INET,
        NULL::TEXT
    );
    RETURN NULL;
END;
$$;

SELECT pin_search_path('audit_deletion()');

CREATE TRIGGER audit_consultants_deletion
    AFTER DELETE ON consultants
    FOR EACH ROW
    EXECUTE FUNCTION audit_deletion('consultant');

CREATE TRIGGER audit_leads_deletion
    AFTER DELETE ON leads
    FOR EACH ROW
    EXECUTE FUNCTION audit_deletion('lead');

-- check: consultants have unique emails and slugs, known verticals and tiers, the documented defaults, and a date of closure exactly while inactive.

CREATE FUNCTION pg_temp.expect(p_what TEXT, p_got TEXT, p_wanted TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    IF p_got IS DISTINCT FROM p_wanted THEN
        RAISE EXCEPTION 'check failed: % is %, not %', p_what, COALESCE(p_got, 'null'), COALESCE(p_wanted, 'null');
    END IF;
END;
$$;
-- Runs p_sql and wants it to fail with p_sqlstate, because of p_constraint where one is named.
CREATE FUNCTION pg_temp.must_fail(p_what TEXT, p_sqlstate TEXT, p_sql TEXT, p_constraint TEXT DEFAULT NULL)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_constraint TEXT;
BEGIN
    BEGIN
        EXECUTE p_sql;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
        IF SQLSTATE <> p_sqlstate OR v_constraint <> p_constraint THEN
            RAISE EXCEPTION 'check failed: % gives % (%), not % %', p_what, SQLSTATE, SQLERRM, p_sqlstate, p_constraint;
        END IF;
        RETURN;
    END;
    RAISE EXCEPTION 'check failed: % is accepted', p_what;
END;
$$;
INSERT INTO consultants (id, email, password_hash, name, whatsapp_number, vertical, slug)
VALUES ('c0000000-0000-4000-8000-00000000000a', 'a@check.invalid', 'x', 'Check', '+550000000000', 'health_plans', 'check-slug-a');

SELECT
    pg_temp.expect('the default of is_active', c.is_active::TEXT, 'true'),
    pg_temp.expect('the default of subscription_tier', c.subscription_tier, 'free'),
    pg_temp.expect('the default of created_at', (c.created_at = now())::TEXT, 'true'),
    pg_temp.expect('the default of updated_at', (c.updated_at = now())::TEXT, 'true'),
    pg_temp.expect('the closure of an active consultant', c.deactivated_at::TEXT, NULL)
FROM consultants AS c
WHERE c.id = 'c0000000-0000-4000-8000-00000000000a';

SELECT pg_temp.must_fail(v.what, v.sqlstate, format(
    'INSERT INTO consultants (email, password_hash, name, whatsapp_number, vertical, slug, subscription_tier)
     VALUES (%L, ''x'', ''Check'', ''+550000000000'', %L, %L, %L)', v.email, v.vertical, v.slug, v.tier), v.reason)
FROM (VALUES
    ('the same email', '23505', 'a@check.invalid', 'insurance', 'check-slug-b', 'pro', 'consultants_email_key'),
    ('the same slug', '23505', 'b@check.invalid', 'insurance', 'check-slug-a', 'pro', 'consultants_slug_key'),
    ('an unknown vertical', '23514', 'b@check.invalid', 'banking', 'check-slug-b', 'pro', 'consultants_vertical_check'),
    ('an unknown tier', '23514', 'b@check.invalid', 'insurance', 'check-slug-b', 'gold', 'consultants_subscription_tier_check'),
    ('no tier', '23502', 'b@check.invalid', 'insurance', 'check-slug-b', NULL, NULL)
) AS v (what, sqlstate, email, vertical, slug, tier, reason);

INSERT INTO consultants (email, password_hash, name, whatsapp_number, vertical, slug, subscription_tier)
SELECT 'check-' || v.vertical || t.tier || '@check.invalid', 'x', 'Check', '+550000000000', v.vertical, 'check-slug-' || v.vertical || t.tier, t.tier
FROM (VALUES ('health_plans'), ('real_estate'), ('automotive'), ('insurance')) AS v (vertical)
CROSS JOIN (VALUES ('free'), ('pro'), ('agency')) AS t (tier);

DO $$
DECLARE
    v_first TIMESTAMPTZ;
    v_now TIMESTAMPTZ;
BEGIN
    UPDATE consultants SET is_active = FALSE WHERE id = 'c0000000-0000-4000-8000-00000000000a' RETURNING deactivated_at INTO v_first;
    IF v_first IS NULL OR v_first < now() OR v_first > clock_timestamp() THEN
        RAISE EXCEPTION 'check failed: an account closed now is closed since %', v_first;
    END IF;

    -- Closed again, or changed otherwise, it keeps its date; the date can be moved, not removed.
    UPDATE consultants SET is_active = FALSE, name = 'Check again' WHERE id = 'c0000000-0000-4000-8000-00000000000a' RETURNING deactivated_at INTO v_now;
    IF v_now <> v_first THEN
        RAISE EXCEPTION 'check failed: closing again moved the closure from % to %', v_first, v_now;
    END IF;
    UPDATE consultants SET deactivated_at = '2020-01-01 00:00:00+00' WHERE id = 'c0000000-0000-4000-8000-00000000000a' RETURNING deactivated_at INTO v_now;
    IF v_now <> '2020-01-01 00:00:00+00' THEN
        RAISE EXCEPTION 'check failed: the closure cannot be moved';
    END IF;
    UPDATE consultants SET deactivated_at = NULL WHERE id = 'c0000000-0000-4000-8000-00000000000a' RETURNING deactivated_at INTO v_now;
    IF v_now IS NULL THEN
        RAISE EXCEPTION 'check failed: an inactive consultant without closure';
    END IF;

    UPDATE consultants SET is_active = TRUE WHERE id = 'c0000000-0000-4000-8000-00000000000a' RETURNING deactivated_at INTO v_now;
    IF v_now IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: an active consultant is closed since %', v_now;
    END IF;

    INSERT INTO consultants (email, password_hash, name, whatsapp_number, vertical, slug, is_active)
    VALUES ('b@check.invalid', 'x', 'Check', '+550000000000', 'insurance', 'check-slug-b', FALSE)
    RETURNING deactivated_at INTO v_now;
    IF v_now IS NULL THEN
        RAISE EXCEPTION 'check failed: a consultant inserted as inactive has no closure';
    END IF;
END;
$$;

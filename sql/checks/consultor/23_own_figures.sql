-- check: consultants read their own figures through functions and nobody else's, and refreshing replaces what has changed without blocking readers.

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
-- Runs a statement and wants it to return, or change, so many rows.
CREATE FUNCTION pg_temp.rows(p_what TEXT, p_wanted BIGINT, p_sql TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_rows BIGINT;
BEGIN
    BEGIN
        EXECUTE p_sql;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
    EXCEPTION WHEN OTHERS THEN
        RAISE EXCEPTION 'check failed: % gives % (%)', p_what, SQLSTATE, SQLERRM;
    END;
    IF v_rows <> p_wanted THEN
        RAISE EXCEPTION 'check failed: % touches % rows, not %', p_what, v_rows, p_wanted;
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
-- Goes on as this role with this JWT subject, for the rest of the transaction; 'owner' is who runs the check. An owner
-- who is no superuser may have to become a member of the role first, which ends with the transaction.
SELECT set_config('check.owner', current_user, TRUE);

CREATE FUNCTION pg_temp.act_as(p_role TEXT, p_subject TEXT DEFAULT '')
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_owner TEXT := current_setting('check.owner');
BEGIN
    PERFORM set_config('role', v_owner, TRUE);
    PERFORM set_config('request.jwt.claim.sub', '', TRUE);
    PERFORM set_config('request.jwt.claims', CASE WHEN p_subject = '' THEN '' ELSE jsonb_build_object('sub', p_subject)::TEXT END, TRUE);
    IF p_role <> 'owner' THEN
        BEGIN
            PERFORM set_config('role', p_role, TRUE);
        EXCEPTION WHEN insufficient_privilege THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', p_role, v_owner);
                PERFORM set_config('role', p_role, TRUE);
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'check failed: "%" may not act as %: GRANT % TO "%"', v_owner, p_role, p_role, v_owner
                    USING ERRCODE = 'insufficient_privilege';
            END;
        END;
    END IF;
END;
$$;
-- Two consultants, A and B, with a lead, a flow and a conversation each.
INSERT INTO consultants (id, email, password_hash, name, whatsapp_number, vertical, slug)
VALUES
    ('c0000000-0000-4000-8000-00000000000a', 'a@check.invalid', 'hash of A', 'Check A', '+550000000000', 'insurance', 'check-slug-a'),
    ('c0000000-0000-4000-8000-00000000000b', 'b@check.invalid', 'hash of B', 'Check B', '+550000000000', 'insurance', 'check-slug-b');

INSERT INTO leads (id, consultant_id, whatsapp_number, name)
VALUES
    ('1ead0000-0000-4000-8000-00000000000a', 'c0000000-0000-4000-8000-00000000000a', '+550000000001', 'Lead of A'),
    ('1ead0000-0000-4000-8000-00000000000b', 'c0000000-0000-4000-8000-00000000000b', '+550000000001', 'Lead of B');

INSERT INTO flows (id, name, vertical, definition, created_by)
VALUES
    ('f1000000-0000-4000-8000-00000000000a', 'Flow of A', 'insurance', '{}', 'c0000000-0000-4000-8000-00000000000a'),
    ('f1000000-0000-4000-8000-00000000000b', 'Flow of B', 'insurance', '{}', 'c0000000-0000-4000-8000-00000000000b');

INSERT INTO conversations (id, lead_id, flow_id)
VALUES
    ('c0170000-0000-4000-8000-00000000000a', '1ead0000-0000-4000-8000-00000000000a', 'f1000000-0000-4000-8000-00000000000a'),
    ('c0170000-0000-4000-8000-00000000000b', '1ead0000-0000-4000-8000-00000000000b', 'f1000000-0000-4000-8000-00000000000b');
SELECT refresh_analytics();

SELECT pg_temp.act_as('authenticated', 'c0000000-0000-4000-8000-00000000000a');
SELECT pg_temp.expect('the metrics of A', string_agg(m.consultant_id::TEXT, ', '), 'c0000000-0000-4000-8000-00000000000a') FROM own_consultant_metrics() AS m;
SELECT pg_temp.expect('the days of A', string_agg(DISTINCT s.consultant_id::TEXT, ', '), 'c0000000-0000-4000-8000-00000000000a') FROM own_daily_lead_stats() AS s;
SELECT pg_temp.must_fail('refreshing as A', '42501', 'SELECT refresh_analytics()');
SELECT pg_temp.act_as('authenticated', 'c0000000-0000-4000-8000-00000000000b');
SELECT pg_temp.expect('the metrics of B', string_agg(m.consultant_id::TEXT, ', '), 'c0000000-0000-4000-8000-00000000000b') FROM own_consultant_metrics() AS m;
SELECT pg_temp.act_as('authenticated');
SELECT pg_temp.rows('the metrics of nobody', 0, 'SELECT * FROM own_consultant_metrics()');
SELECT pg_temp.rows('the days of nobody', 0, 'SELECT * FROM own_daily_lead_stats()');
SELECT pg_temp.act_as('anon', 'c0000000-0000-4000-8000-00000000000a');
SELECT pg_temp.must_fail('the metrics as anon', '42501', 'SELECT * FROM own_consultant_metrics()');
SELECT pg_temp.act_as('owner');

-- Changed, gone and new rows.
UPDATE leads SET status = 'fechado' WHERE id = '1ead0000-0000-4000-8000-00000000000a';
UPDATE consultants SET is_active = FALSE WHERE id = 'c0000000-0000-4000-8000-00000000000b';
INSERT INTO consultants (id, email, password_hash, name, whatsapp_number, vertical, slug)
VALUES ('c0000000-0000-4000-8000-00000000000c', 'c@check.invalid', 'x', 'Check C', '+550000000000', 'automotive', 'check-slug-c');
SELECT refresh_analytics();
SELECT pg_temp.expect('the metrics after a refresh', string_agg(format('%s %s', m.name, m.leads_fechado), ', ' ORDER BY m.name), 'Check A 1, Check C 0')
FROM consultant_metrics AS m
WHERE m.consultant_id IN ('c0000000-0000-4000-8000-00000000000a', 'c0000000-0000-4000-8000-00000000000b', 'c0000000-0000-4000-8000-00000000000c');

-- Refreshed CONCURRENTLY a view keeps its file; a plain REFRESH, which locks readers out, gives it a new one.
DO $$
DECLARE
    v_before TEXT;
    v_after TEXT;
BEGIN
    SELECT string_agg(format('%s %s', c.relname, c.relfilenode), ', ' ORDER BY c.relname) INTO v_before
    FROM pg_catalog.pg_class AS c
    WHERE c.oid IN ('consultant_metrics'::REGCLASS, 'daily_lead_stats'::REGCLASS);
    PERFORM refresh_analytics();
    SELECT string_agg(format('%s %s', c.relname, c.relfilenode), ', ' ORDER BY c.relname) INTO v_after
    FROM pg_catalog.pg_class AS c
    WHERE c.oid IN ('consultant_metrics'::REGCLASS, 'daily_lead_stats'::REGCLASS);
    PERFORM pg_temp.expect('the files of the views after a refresh', v_after, v_before);
END;
$$;

-- A view that was restored without its data is filled.
REFRESH MATERIALIZED VIEW consultant_metrics WITH NO DATA;
REFRESH MATERIALIZED VIEW daily_lead_stats WITH NO DATA;
SELECT refresh_analytics();
SELECT pg_temp.rows('the metrics after filling', 1, 'SELECT FROM consultant_metrics WHERE consultant_id = ''c0000000-0000-4000-8000-00000000000a''');
SELECT pg_temp.rows('the days after filling', 1, 'SELECT FROM daily_lead_stats WHERE consultant_id = ''c0000000-0000-4000-8000-00000000000a''');

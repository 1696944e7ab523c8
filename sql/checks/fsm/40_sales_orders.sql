-- check: an order line of a sales system is taken once, also without a line; a business unit has one primary system; references exist; stores are found by name and city.

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
-- An id of this check: no other row has it.
CREATE FUNCTION pg_temp.u(p_n INTEGER)
RETURNS UUID
LANGUAGE sql
AS $$ SELECT ('f5c0ffee-0000-4000-8000-' || lpad(p_n::TEXT, 12, '0'))::UUID $$;

INSERT INTO auth.users (id, email, password_hash)
SELECT pg_temp.u(g.n), format('check-%s@fsm.invalid', g.n), 'hash'
FROM generate_series(1, 3) AS g (n);
INSERT INTO public.countries (code, name, currency, timezone, locale)
VALUES ('c?', 'Check', 'EUR', 'UTC', 'en');
INSERT INTO public.business_units (id, country_code, code, name)
VALUES (pg_temp.u(1), 'c?', 'CHECK_f5c0ffee', 'Check'), (pg_temp.u(2), 'c?', 'CHECK_f5c0ffee_2', 'Check');
INSERT INTO public.stores (id, business_unit_id, store_code, name, address)
VALUES (pg_temp.u(1), pg_temp.u(1), 'CHECK', 'Checkstore', '{}'), (pg_temp.u(2), pg_temp.u(1), 'CHECK_2', 'Checkstore', '{"city": "Checktown"}');
INSERT INTO public.sales_systems (id, name, code)
VALUES (pg_temp.u(1), 'Check', 'CHECK_f5c0ffee'), (pg_temp.u(2), 'Check', 'CHECK_f5c0ffee_2');

-- An order of line p_line in project p_project, the columns left out as an application may leave them out.
CREATE FUNCTION pg_temp.order_from(p_system INTEGER, p_order TEXT, p_line TEXT, p_project INTEGER DEFAULT NULL, p_status TEXT DEFAULT 'NEW', p_minutes INTEGER DEFAULT NULL)
RETURNS UUID
LANGUAGE sql
AS $$
    INSERT INTO public.service_orders (country_code, business_unit_id, store_id, sales_system_id, sales_channel, sales_order_id,
                                       sales_order_line_id, project_id, service_type, customer_id, service_address, order_date,
                                       status, estimated_duration_minutes)
    VALUES ('c?', pg_temp.u(1), pg_temp.u(1), pg_temp.u(p_system), 'ONLINE', p_order, p_line, pg_temp.u(p_project), 'TV',
            pg_temp.u(1), '{}', now(), p_status, p_minutes)
    RETURNING id
$$;


SELECT pg_temp.order_from(1, 'A', '1'), pg_temp.order_from(1, 'A', '2'), pg_temp.order_from(2, 'A', '1'), pg_temp.order_from(1, 'B', NULL);
SELECT pg_temp.must_fail('an order line twice', '23505', 'SELECT pg_temp.order_from(1, ''A'', ''1'')', 'idx_service_orders_sales_order_unique');
SELECT pg_temp.must_fail('an order without lines twice', '23505', 'SELECT pg_temp.order_from(1, ''B'', NULL)', 'idx_service_orders_sales_order_unique');

INSERT INTO public.business_unit_sales_systems (business_unit_id, sales_system_id, is_primary)
VALUES (pg_temp.u(1), pg_temp.u(1), TRUE), (pg_temp.u(2), pg_temp.u(1), TRUE);
SELECT pg_temp.must_fail('a second primary system', '23505', format(
    'INSERT INTO public.business_unit_sales_systems (business_unit_id, sales_system_id, is_primary) VALUES (%L, %L, TRUE)',
    pg_temp.u(1), pg_temp.u(2)), 'idx_bu_sales_systems_is_primary');
INSERT INTO public.business_unit_sales_systems (business_unit_id, sales_system_id)
VALUES (pg_temp.u(1), pg_temp.u(2));
SELECT pg_temp.must_fail('a system made a second primary', '23505', format(
    'UPDATE public.business_unit_sales_systems SET is_primary = TRUE WHERE business_unit_id = %L', pg_temp.u(1)), 'idx_bu_sales_systems_is_primary');
SELECT pg_temp.must_fail('a system twice', '23505', format(
    'INSERT INTO public.business_unit_sales_systems (business_unit_id, sales_system_id) VALUES (%L, %L)', pg_temp.u(1), pg_temp.u(2)));

SELECT pg_temp.must_fail(u.what, '23505', replace(u.sql, ':u1', quote_literal(pg_temp.u(1))))
FROM (VALUES
    ('the code of a business unit twice', 'INSERT INTO public.business_units (country_code, code, name) VALUES (''c?'', ''CHECK_f5c0ffee'', ''x'')'),
    ('the code of a store twice', 'INSERT INTO public.stores (business_unit_id, store_code, name, address) VALUES (:u1, ''CHECK'', ''x'', ''{}'')'),
    ('the code of a sales system twice', 'INSERT INTO public.sales_systems (name, code) VALUES (''x'', ''CHECK_f5c0ffee'')'),
    ('a channel twice', 'INSERT INTO public.sales_channel_configurations (business_unit_id, sales_channel) VALUES (:u1, ''ONLINE''), (:u1, ''ONLINE'')')
) AS u (what, sql);

INSERT INTO public.projects (id, project_name, customer_id, country_code, business_unit_id, status)
VALUES (pg_temp.u(1), 'Check', pg_temp.u(1), 'c?', pg_temp.u(1), 'OPEN');
SELECT pg_temp.must_fail('an order with ' || f.change, '23503',
    format('UPDATE public.service_orders SET %s WHERE sales_system_id = %L AND sales_order_id = ''B''', f.change, pg_temp.u(1)))
FROM (VALUES
    ('country_code = ''x?'''), ('business_unit_id = gen_random_uuid()'), ('store_id = gen_random_uuid()'),
    ('sales_system_id = gen_random_uuid()'), ('project_id = gen_random_uuid()'), ('risk_acknowledged_by = gen_random_uuid()')
) AS f (change);
SELECT pg_temp.must_fail('a project with ' || f.change, '23503', format('UPDATE public.projects SET %s WHERE id = %L', f.change, pg_temp.u(1)))
FROM (VALUES
    ('country_code = ''x?'''), ('business_unit_id = gen_random_uuid()'), ('responsible_operator_id = gen_random_uuid()')
) AS f (change);

-- Assessments leave with their order; an event about it keeps it.
INSERT INTO public.risk_assessments (service_order_id, risk_level, risk_score, model_version, input_features, risk_factors, triggered_by)
SELECT o.id, 'LOW', 1, '1', '{}', '[]', 'BATCH_JOB' FROM public.service_orders AS o WHERE o.sales_system_id = pg_temp.u(1);
INSERT INTO public.sales_potential_assessments (service_order_id, potential_level, potential_score, model_version, input_features, contributing_factors)
SELECT o.id, 'LOW', 1, '1', '{}', '[]' FROM public.service_orders AS o WHERE o.sales_system_id = pg_temp.u(1);
INSERT INTO public.sales_system_integration_events (sales_system_id, event_type, service_order_id, status)
SELECT pg_temp.u(1), 'ORDER_RECEIVED', o.id, 'SUCCESS' FROM public.service_orders AS o WHERE o.sales_system_id = pg_temp.u(1) AND o.sales_order_id = 'B';
SELECT pg_temp.must_fail('deleting an order that an event is about', '23503', format(
    'DELETE FROM public.service_orders WHERE sales_system_id = %L AND sales_order_id = ''B''', pg_temp.u(1)));
DELETE FROM public.service_orders WHERE sales_system_id = pg_temp.u(1) AND sales_order_id = 'A';
DO $$
BEGIN
    IF EXISTS (SELECT FROM public.risk_assessments AS r WHERE NOT EXISTS (SELECT FROM public.service_orders AS o WHERE o.id = r.service_order_id))
       OR 1 <> (SELECT count(*) FROM public.risk_assessments AS r JOIN public.service_orders AS o ON o.id = r.service_order_id WHERE o.sales_system_id = pg_temp.u(1))
       OR 1 <> (SELECT count(*) FROM public.sales_potential_assessments AS r JOIN public.service_orders AS o ON o.id = r.service_order_id WHERE o.sales_system_id = pg_temp.u(1)) THEN
        RAISE EXCEPTION 'check failed: assessments do not leave with their order';
    END IF;
END;
$$;

-- The store without a city is found by its name, the other one by both; through the index.
DO $$
DECLARE
    v_names BIGINT;
    v_cities BIGINT;
    v_plan TEXT;
BEGIN
    SET LOCAL enable_seqscan = off;
    SELECT count(*) INTO v_names FROM public.stores AS s
    WHERE to_tsvector('simple', s.name || ' ' || COALESCE(s.address ->> 'city', '')) @@ to_tsquery('simple', 'checkstore');
    SELECT count(*) INTO v_cities FROM public.stores AS s
    WHERE to_tsvector('simple', s.name || ' ' || COALESCE(s.address ->> 'city', '')) @@ to_tsquery('simple', 'checkstore & checktown');
    IF (v_names, v_cities) IS DISTINCT FROM (2::BIGINT, 1::BIGINT) THEN
        RAISE EXCEPTION 'check failed: % stores are found by name and % by city, not 2 and 1', v_names, v_cities;
    END IF;

    EXECUTE $sql$
        EXPLAIN (FORMAT JSON)
        SELECT
        FROM public.stores AS s
        WHERE to_tsvector('simple', s.name || ' ' || COALESCE(s.address ->> 'city', '')) @@ to_tsquery('simple', 'checkstore')
    $sql$ INTO v_plan;
    IF v_plan !~ 'idx_stores_search' THEN
        RAISE EXCEPTION 'check failed: stores are searched without the index: %', v_plan;
    END IF;
END;
$$;

-- check: the document's query examples run and say what they mean, whatever time zone the session has.

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


SET LOCAL TimeZone = 'Pacific/Auckland';

SELECT pg_temp.order_from(1, 'check', '1', NULL, 'COMPLETED'), pg_temp.order_from(1, 'check', '2');
UPDATE public.service_orders SET scheduled_date = (order_date AT TIME ZONE 'UTC')::DATE + 3 WHERE sales_system_id = pg_temp.u(1) AND sales_order_line_id = '1';
UPDATE public.service_orders SET scheduled_date = (order_date AT TIME ZONE 'UTC')::DATE + 1 WHERE sales_system_id = pg_temp.u(1) AND sales_order_line_id = '2';

DO $$
DECLARE
    v_orders BIGINT;
    v_metrics RECORD;
BEGIN
    SELECT count(*) INTO v_orders
    FROM public.service_orders AS so
    JOIN public.sales_systems AS ss ON so.sales_system_id = ss.id
    JOIN public.business_units AS bu ON so.business_unit_id = bu.id
    JOIN public.stores AS s ON so.store_id = s.id
    WHERE so.country_code = 'c?'
      AND ss.code = 'CHECK_f5c0ffee'
      AND so.sales_channel = 'ONLINE'
      AND so.order_date >= now() - INTERVAL '30 days';
    IF v_orders <> 2 THEN
        RAISE EXCEPTION 'check failed: % orders of a sales system and channel, not 2', v_orders;
    END IF;

    -- Dates are subtracted as dates: a number of days.
    SELECT
        so.sales_channel,
        bu.name AS business_unit,
        count(*) AS order_count,
        avg((so.scheduled_date - (so.order_date AT TIME ZONE 'UTC')::DATE) * 24) AS avg_scheduling_hours,
        count(*) FILTER (WHERE so.status = 'COMPLETED') AS completed_count,
        round(100.0 * count(*) FILTER (WHERE so.status = 'COMPLETED') / count(*), 2) AS completion_rate_pct
    INTO STRICT v_metrics
    FROM public.service_orders AS so
    JOIN public.business_units AS bu ON so.business_unit_id = bu.id
    WHERE so.order_date >= now() - INTERVAL '30 days'
      AND bu.code = 'CHECK_f5c0ffee'
    GROUP BY so.sales_channel, bu.name;
    IF (v_metrics.order_count, v_metrics.avg_scheduling_hours, v_metrics.completed_count, v_metrics.completion_rate_pct)
       IS DISTINCT FROM (2::BIGINT, 48::NUMERIC, 1::BIGINT, 50.00) THEN
        RAISE EXCEPTION 'check failed: the metrics of a channel are %', v_metrics;
    END IF;
END;
$$;

-- check: operator_workload sums up the open orders of each operator's open projects, and refresh_operator_workload() brings it up to date.

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


-- 1 with open and closed orders in two projects, 2 with a project without open orders, 3 with a closed project; one of nobody.
INSERT INTO public.projects (id, project_name, customer_id, country_code, business_unit_id, status, responsible_operator_id)
SELECT pg_temp.u(v.id), 'Check', pg_temp.u(1), 'c?', pg_temp.u(1), v.status, pg_temp.u(v.operator)
FROM (VALUES (1, 'OPEN', 1), (2, 'OPEN', 1), (3, 'OPEN', 2), (4, 'COMPLETED', 3), (5, 'CANCELLED', 3), (6, 'OPEN', NULL)) AS v (id, status, operator);

SELECT pg_temp.order_from(1, 'check', v.n::TEXT, v.project, v.status, v.minutes)
FROM (VALUES
    (1, 1, 'NEW', 90), (2, 1, 'SCHEDULED', 45), (3, 2, 'NEW', NULL),
    (4, 1, 'CANCELLED', 1000), (5, 1, 'COMPLETED', 1000), (6, 2, 'CLOSED', 1000),
    (7, 3, 'COMPLETED', 1000), (8, 4, 'NEW', 1000), (9, 6, 'NEW', 1000)
) AS v (n, project, status, minutes);

SELECT public.refresh_operator_workload();

DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(format('%s: %s projects, %s orders, %s min, %s h', right(w.operator_id::TEXT, 1), w.total_projects,
                             w.total_service_orders, w.total_workload_minutes, round(w.total_workload_hours, 2)), '; ' ORDER BY w.operator_id)
    INTO v_found
    FROM public.operator_workload AS w
    WHERE w.operator_id BETWEEN pg_temp.u(1) AND pg_temp.u(9);
    IF v_found IS DISTINCT FROM '1: 2 projects, 3 orders, 135 min, 2.25 h; 2: 1 projects, 0 orders, 0 min, 0.00 h' THEN
        RAISE EXCEPTION 'check failed: the workload is "%"', v_found;
    END IF;

    IF EXISTS (SELECT FROM public.operator_workload AS w WHERE w.operator_id IS NULL) THEN
        RAISE EXCEPTION 'check failed: nobody has a workload';
    END IF;

    -- Readers are not locked out while it is refreshed.
    IF EXISTS (
        SELECT FROM pg_catalog.pg_locks AS l
        WHERE l.pid = pg_backend_pid() AND l.relation = 'public.operator_workload'::REGCLASS AND l.mode = 'AccessExclusiveLock'
    ) THEN
        RAISE EXCEPTION 'check failed: the refresh locks readers out';
    END IF;
END;
$$;

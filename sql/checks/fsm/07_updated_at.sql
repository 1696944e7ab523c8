-- check: updated_at follows every change of a row in all fourteen tables, also two changes in one transaction, and no change that changes nothing.

-- An id of this check: no other row has it.
CREATE FUNCTION pg_temp.u(p_n INTEGER)
RETURNS UUID
LANGUAGE sql
AS $$ SELECT ('f5c0ffee-0000-4000-8000-' || lpad(p_n::TEXT, 12, '0'))::UUID $$;

INSERT INTO auth.users (id, email, password_hash)
VALUES (pg_temp.u(1), 'check-1@fsm.invalid', 'hash');
INSERT INTO auth.roles (id, name)
VALUES (pg_temp.u(1), 'check-f5c0ffee');
INSERT INTO app.organizations (id, name, slug)
VALUES (pg_temp.u(1), 'Check', 'check-f5c0ffee');
INSERT INTO app.projects (id, organization_id, name, slug)
VALUES (pg_temp.u(1), pg_temp.u(1), 'Check', 'check');
INSERT INTO app.tasks (id, project_id, title)
VALUES (pg_temp.u(1), pg_temp.u(1), 'Check');
INSERT INTO app.comments (id, task_id, user_id, content)
VALUES (pg_temp.u(1), pg_temp.u(1), pg_temp.u(1), 'Check');
INSERT INTO public.countries (code, name, currency, timezone, locale)
VALUES ('c?', 'Check', 'EUR', 'UTC', 'en');
INSERT INTO public.business_units (id, country_code, code, name)
VALUES (pg_temp.u(1), 'c?', 'CHECK_f5c0ffee', 'Check');
INSERT INTO public.stores (id, business_unit_id, store_code, name, address)
VALUES (pg_temp.u(1), pg_temp.u(1), 'CHECK', 'Check', '{}');
INSERT INTO public.sales_systems (id, name, code)
VALUES (pg_temp.u(1), 'Check', 'CHECK_f5c0ffee');
INSERT INTO public.business_unit_sales_systems (id, business_unit_id, sales_system_id)
VALUES (pg_temp.u(1), pg_temp.u(1), pg_temp.u(1));
INSERT INTO public.sales_channel_configurations (id, business_unit_id, sales_channel)
VALUES (pg_temp.u(1), pg_temp.u(1), 'ONLINE');
INSERT INTO public.projects (id, project_name, customer_id, country_code, business_unit_id, status)
VALUES (pg_temp.u(1), 'Check', pg_temp.u(1), 'c?', pg_temp.u(1), 'OPEN');
INSERT INTO public.service_orders (id, country_code, business_unit_id, store_id, sales_system_id, sales_channel,
                                   sales_order_id, service_type, customer_id, service_address, order_date, status)
VALUES (pg_temp.u(1), 'c?', pg_temp.u(1), pg_temp.u(1), pg_temp.u(1), 'ONLINE', 'check', 'TV', pg_temp.u(1), '{}', now(), 'NEW');

DO $$
DECLARE
    v_table RECORD;
    v_key TEXT;
    v_before TIMESTAMPTZ;
    v_after TIMESTAMPTZ;
BEGIN
    FOR v_table IN
        SELECT *
        FROM (VALUES
            ('auth.users', 'id', 'first_name'),
            ('auth.roles', 'id', 'description'),
            ('app.organizations', 'id', 'name'),
            ('app.projects', 'id', 'name'),
            ('app.tasks', 'id', 'title'),
            ('app.comments', 'id', 'content'),
            ('public.countries', 'code', 'name'),
            ('public.business_units', 'id', 'name'),
            ('public.stores', 'id', 'name'),
            ('public.sales_systems', 'id', 'name'),
            ('public.business_unit_sales_systems', 'id', 'priority'),
            ('public.sales_channel_configurations', 'id', 'notification_language'),
            ('public.projects', 'id', 'project_name'),
            ('public.service_orders', 'id', 'customer_name')
        ) AS t (table_name, key, column_name)
    LOOP
        v_key := CASE v_table.key WHEN 'code' THEN 'c?' ELSE pg_temp.u(1)::TEXT END;
        EXECUTE format('SELECT t.updated_at FROM %s AS t WHERE t.%I = %L', v_table.table_name, v_table.key, v_key) INTO STRICT v_before;

        FOR v_change IN 1..2 LOOP
            PERFORM pg_sleep(0.00001);
            -- A value that the writer gives updated_at does not count.
            EXECUTE format('UPDATE %s SET %I = %L, updated_at = ''2001-01-01 00:00:00+00'' WHERE %I = %L RETURNING updated_at',
                           v_table.table_name, v_table.column_name, v_change, v_table.key, v_key) INTO STRICT v_after;
            IF v_after <= v_before THEN
                RAISE EXCEPTION 'check failed: change % of % leaves updated_at at %', v_change, v_table.table_name, v_after;
            END IF;
            v_before := v_after;
        END LOOP;

        PERFORM pg_sleep(0.00001);
        EXECUTE format('UPDATE %s SET %I = %I WHERE %I = %L RETURNING updated_at',
                       v_table.table_name, v_table.column_name, v_table.column_name, v_table.key, v_key) INTO STRICT v_after;
        IF v_after <> v_before THEN
            RAISE EXCEPTION 'check failed: a change of % that changes nothing moves updated_at', v_table.table_name;
        END IF;
    END LOOP;
END;
$$;

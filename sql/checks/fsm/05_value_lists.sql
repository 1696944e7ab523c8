-- check: every column that takes one of a list of values takes all of them and no other.

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
VALUES (pg_temp.u(1), 'check-1@fsm.invalid', 'hash');
INSERT INTO app.organizations (id, name, slug)
VALUES (pg_temp.u(1), 'Check', 'check-f5c0ffee');
INSERT INTO app.organization_members (id, organization_id, user_id)
VALUES (pg_temp.u(1), pg_temp.u(1), pg_temp.u(1));
INSERT INTO app.projects (id, organization_id, name, slug)
VALUES (pg_temp.u(1), pg_temp.u(1), 'Check', 'check');
INSERT INTO app.tasks (id, project_id, title)
VALUES (pg_temp.u(1), pg_temp.u(1), 'Check');
INSERT INTO public.countries (code, name, currency, timezone, locale)
VALUES ('c?', 'Check', 'EUR', 'UTC', 'en');
INSERT INTO public.business_units (id, country_code, code, name)
VALUES (pg_temp.u(1), 'c?', 'CHECK_f5c0ffee', 'Check');
INSERT INTO public.stores (id, business_unit_id, store_code, name, address)
VALUES (pg_temp.u(1), pg_temp.u(1), 'CHECK', 'Check', '{}');
INSERT INTO public.sales_systems (id, name, code)
VALUES (pg_temp.u(1), 'Check', 'CHECK_f5c0ffee');
INSERT INTO public.projects (id, project_name, customer_id, country_code, business_unit_id, status)
VALUES (pg_temp.u(1), 'Check', pg_temp.u(1), 'c?', pg_temp.u(1), 'OPEN');
INSERT INTO public.service_orders (id, country_code, business_unit_id, store_id, sales_system_id, sales_channel,
                                   sales_order_id, service_type, customer_id, service_address, order_date, status)
VALUES (pg_temp.u(1), 'c?', pg_temp.u(1), pg_temp.u(1), pg_temp.u(1), 'ONLINE', 'check', 'TV', pg_temp.u(1), '{}', now(), 'NEW');
INSERT INTO public.sales_pre_estimations (id, sales_system_id, customer_id, estimated_value, currency, product_categories, created_at)
VALUES (pg_temp.u(1)::TEXT, 'CHECK', pg_temp.u(1), 1, 'EUR', '{}', now());
INSERT INTO public.sales_potential_assessments (id, service_order_id, potential_level, potential_score, model_version,
                                                input_features, contributing_factors)
VALUES (pg_temp.u(1), pg_temp.u(1), 'LOW', 0, '1', '{}', '[]');
INSERT INTO public.risk_assessments (id, service_order_id, risk_level, risk_score, model_version, input_features,
                                     risk_factors, triggered_by)
VALUES (pg_temp.u(1), pg_temp.u(1), 'LOW', 0, '1', '{}', '[]', 'BATCH_JOB');

-- Each value is written, then one that is on no list, then one in the wrong case.
DO $$
DECLARE
    v_list RECORD;
    v_value TEXT;
BEGIN
    FOR v_list IN
        SELECT *
        FROM (VALUES
            ('auth.users', 'status', 'active suspended deleted'),
            ('app.organizations', 'status', 'active trial suspended deleted'),
            ('app.organization_members', 'role', 'owner admin member viewer'),
            ('app.organization_members', 'status', 'pending active suspended removed'),
            ('app.projects', 'status', 'active archived deleted'),
            ('app.projects', 'visibility', 'private organization public'),
            ('app.tasks', 'status', 'todo in_progress review done blocked cancelled'),
            ('app.tasks', 'priority', 'low medium high urgent'),
            ('public.projects', 'assignment_mode', 'AUTO MANUAL'),
            ('public.service_orders', 'sales_channel', 'IN_STORE ONLINE PHONE PARTNER B2B MOBILE_APP'),
            ('public.service_orders', 'sales_potential', 'LOW MEDIUM HIGH'),
            ('public.service_orders', 'risk_level', 'LOW MEDIUM HIGH CRITICAL'),
            ('public.sales_pre_estimations', 'confidence_level', 'LOW MEDIUM HIGH'),
            ('public.sales_potential_assessments', 'potential_level', 'LOW MEDIUM HIGH'),
            ('public.risk_assessments', 'risk_level', 'LOW MEDIUM HIGH CRITICAL')
        ) AS l (table_name, column_name, "values")
    LOOP
        FOREACH v_value IN ARRAY string_to_array(v_list."values", ' ') LOOP
            EXECUTE format('UPDATE %s SET %I = %L WHERE id::TEXT = %L',
                           v_list.table_name, v_list.column_name, v_value, pg_temp.u(1));
            PERFORM pg_temp.must_fail(
                format('%s.%s = %s', v_list.table_name, v_list.column_name, translate(v_value, 'aeiouAEIOU2', 'AEIOUaeiou3')),
                '23514',
                format('UPDATE %s SET %I = %L WHERE id::TEXT = %L', v_list.table_name, v_list.column_name,
                       translate(v_value, 'aeiouAEIOU2', 'AEIOUaeiou3'), pg_temp.u(1)));
        END LOOP;
        PERFORM pg_temp.must_fail(
            format('%s.%s = none', v_list.table_name, v_list.column_name), '23514',
            format('UPDATE %s SET %I = %L WHERE id::TEXT = %L', v_list.table_name, v_list.column_name, 'none', pg_temp.u(1)));
    END LOOP;
END;
$$;

-- Scores are percentages.
DO $$
DECLARE
    v_score RECORD;
    v_value TEXT;
BEGIN
    FOR v_score IN
        SELECT *
        FROM (VALUES
            ('public.service_orders', 'sales_potential_score'),
            ('public.service_orders', 'risk_score'),
            ('public.sales_potential_assessments', 'potential_score'),
            ('public.risk_assessments', 'risk_score')
        ) AS s (table_name, column_name)
    LOOP
        FOREACH v_value IN ARRAY ARRAY['0', '99.99', '100.00'] LOOP
            EXECUTE format('UPDATE %s SET %I = %L WHERE id = %L', v_score.table_name, v_score.column_name, v_value, pg_temp.u(1));
        END LOOP;
        FOREACH v_value IN ARRAY ARRAY['-0.01', '100.01'] LOOP
            PERFORM pg_temp.must_fail(
                format('%s.%s = %s', v_score.table_name, v_score.column_name, v_value), '23514',
                format('UPDATE %s SET %I = %L WHERE id = %L', v_score.table_name, v_score.column_name, v_value, pg_temp.u(1)));
        END LOOP;
    END LOOP;
END;
$$;

SELECT pg_temp.must_fail('a negative duration', '23514', format(
    'UPDATE public.service_orders SET estimated_duration_minutes = -1 WHERE id = %L', pg_temp.u(1)), 'valid_estimated_duration');

-- More than an INTEGER of cents holds.
UPDATE public.service_orders
SET order_value_cents = 3000000000, service_fee_cents = 3000000000
WHERE id = pg_temp.u(1);

SELECT pg_temp.must_fail('an attachment of neither task nor comment', '23514', format(
    'INSERT INTO app.attachments (uploaded_by, file_name, file_size, mime_type, storage_path) VALUES (%L, ''f'', 1, ''m'', ''p'')',
    pg_temp.u(1)), 'attachments_check');

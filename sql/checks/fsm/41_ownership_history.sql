-- check: every change of a project's responsible operator is in its history, with who changed it and why.

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

-- An owner that is no member of fsm_app becomes one for the length of this transaction.
DO $$
DECLARE
    v_me NAME := current_user;
BEGIN
    SET LOCAL ROLE fsm_app;
    EXECUTE format('SET LOCAL ROLE %I', v_me);
EXCEPTION WHEN insufficient_privilege THEN
    BEGIN
        EXECUTE format('GRANT fsm_app TO %I', v_me);
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'check failed: role "%" cannot act as fsm_app to try its rights', v_me
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('as superuser: GRANT fsm_app TO %I', v_me);
    END;
END;
$$;

-- Runs p_sql as fsm_app for p_user, null is nobody; returns how many rows it read or changed.
CREATE FUNCTION pg_temp.rows_as(p_user UUID, p_sql TEXT)
RETURNS BIGINT
LANGUAGE plpgsql
AS $$
DECLARE
    v_me NAME := current_user;
    v_rows BIGINT;
BEGIN
    PERFORM set_config('app.current_user_id', COALESCE(p_user::TEXT, ''), TRUE);
    SET LOCAL ROLE fsm_app;
    EXECUTE p_sql;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    EXECUTE format('SET LOCAL ROLE %I', v_me);
    PERFORM set_config('app.current_user_id', '', TRUE);
    RETURN v_rows;
END;
$$;

-- Wants p_sql to read or change p_rows rows, then takes it back.
CREATE FUNCTION pg_temp.expect_as(p_what TEXT, p_user UUID, p_rows BIGINT, p_sql TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_rows BIGINT;
BEGIN
    BEGIN
        v_rows := pg_temp.rows_as(p_user, p_sql);
        RAISE EXCEPTION USING ERRCODE = 'UNDO0';
    EXCEPTION
        WHEN SQLSTATE 'UNDO0' THEN
            NULL;
        WHEN OTHERS THEN
            RAISE EXCEPTION 'check failed: % gives % (%), not % rows', p_what, SQLSTATE, SQLERRM, p_rows;
    END;
    IF v_rows <> p_rows THEN
        RAISE EXCEPTION 'check failed: % gives % rows, not %', p_what, v_rows, p_rows;
    END IF;
END;
$$;

-- Wants p_sql to be refused with p_sqlstate.
CREATE FUNCTION pg_temp.refuse_as(p_what TEXT, p_user UUID, p_sql TEXT, p_sqlstate TEXT DEFAULT '42501')
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_rows BIGINT;
BEGIN
    BEGIN
        v_rows := pg_temp.rows_as(p_user, p_sql);
    EXCEPTION WHEN OTHERS THEN
        IF SQLSTATE <> p_sqlstate THEN
            RAISE EXCEPTION 'check failed: % gives % (%), not %', p_what, SQLSTATE, SQLERRM, p_sqlstate;
        END IF;
        RETURN;
    END;
    RAISE EXCEPTION 'check failed: % is accepted and gives % rows', p_what, v_rows;
END;
$$;

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


-- The history of a project: from, to, by, reason.
CREATE FUNCTION pg_temp.history(p_project INTEGER)
RETURNS TEXT
LANGUAGE sql
AS $$
    SELECT string_agg(format('%s>%s %s %s', right(h.previous_operator_id::TEXT, 1), right(h.new_operator_id::TEXT, 1),
                             h.changed_by, COALESCE(h.reason, '-')), '; ' ORDER BY h.changed_at)
    FROM public.project_ownership_history AS h
    WHERE h.project_id = pg_temp.u(p_project)
$$;

CREATE FUNCTION pg_temp.expect(p_what TEXT, p_history TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    IF pg_temp.history(1) IS DISTINCT FROM p_history THEN
        RAISE EXCEPTION 'check failed: after % the history is "%", not "%"', p_what, pg_temp.history(1), p_history;
    END IF;
    PERFORM pg_sleep(0.00001);
END;
$$;

-- As it is after any transaction that has set them.
SET LOCAL app.current_user_id = '';
SET LOCAL app.change_reason = '';

INSERT INTO public.projects (id, project_name, customer_id, country_code, business_unit_id, status)
VALUES (pg_temp.u(1), 'Check', pg_temp.u(1), 'c?', pg_temp.u(1), 'OPEN');
SELECT pg_temp.expect('making a project without an operator', NULL);

UPDATE public.projects SET responsible_operator_id = pg_temp.u(1), assignment_mode = 'AUTO', assigned_by = 'SYSTEM';
SELECT pg_temp.expect('an assignment by the system', '>1 SYSTEM -');

UPDATE public.projects SET responsible_operator_id = responsible_operator_id, status = 'IN_PROGRESS';
SELECT pg_temp.expect('a change of something else', '>1 SYSTEM -');

SET LOCAL app.change_reason = 'on holiday';
UPDATE public.projects SET responsible_operator_id = pg_temp.u(2), assignment_mode = 'MANUAL', assigned_by = 'the boss' WHERE id = pg_temp.u(1);
SELECT pg_temp.expect('an assignment by hand', '>1 SYSTEM -; 1>2 the boss on holiday');

-- assigned_by is that of the last assignment: who is asking counts.
SET LOCAL app.change_reason = '';
SET LOCAL app.current_user_id = 'f5c0ffee-0000-4000-8000-000000000003';
UPDATE public.projects SET responsible_operator_id = NULL WHERE id = pg_temp.u(1);
SELECT pg_temp.expect('taking the project away', '>1 SYSTEM -; 1>2 the boss on holiday; 2> f5c0ffee-0000-4000-8000-000000000003 -');

INSERT INTO public.projects (id, project_name, customer_id, country_code, business_unit_id, status, responsible_operator_id)
VALUES (pg_temp.u(2), 'Check', pg_temp.u(1), 'c?', pg_temp.u(1), 'OPEN', pg_temp.u(1));
DO $$
BEGIN
    IF pg_temp.history(2) IS DISTINCT FROM '>1 f5c0ffee-0000-4000-8000-000000000003 -' THEN
        RAISE EXCEPTION 'check failed: a project made with an operator has the history "%"', pg_temp.history(2);
    END IF;
    DELETE FROM public.projects WHERE id = pg_temp.u(2);
    IF pg_temp.history(2) IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: a deleted project has a history';
    END IF;
END;
$$;

SELECT pg_temp.must_fail('an operator in the history who does not exist', '23503', format(
    'INSERT INTO public.project_ownership_history (project_id, new_operator_id, changed_by) VALUES (%L, gen_random_uuid(), ''x'')', pg_temp.u(1)));

-- fsm_app may assign; the history it cannot write itself.
SELECT pg_temp.rows_as(pg_temp.u(2), format('UPDATE public.projects SET responsible_operator_id = %L WHERE id = %L', pg_temp.u(1), pg_temp.u(1)));
DO $$
BEGIN
    IF pg_temp.history(1) NOT LIKE '%; >1 f5c0ffee-0000-4000-8000-000000000002 -' THEN
        RAISE EXCEPTION 'check failed: an assignment by fsm_app is not in the history: %', pg_temp.history(1);
    END IF;
END;
$$;
SELECT pg_temp.refuse_as('writing the history by hand', pg_temp.u(2), format(
    'INSERT INTO public.project_ownership_history (project_id, changed_by) VALUES (%L, ''x'')', pg_temp.u(1)));
SELECT pg_temp.refuse_as('rewriting the history', pg_temp.u(2), 'UPDATE public.project_ownership_history SET changed_by = ''x''');

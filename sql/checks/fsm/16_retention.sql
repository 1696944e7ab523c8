-- check: retention drops partitions by what they hold, not by their name, never the last one nor the DEFAULT one, and nothing that is no partition.

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

CREATE SCHEMA check_f5c0ffee;
CREATE TABLE check_f5c0ffee.t (at TIMESTAMPTZ NOT NULL) PARTITION BY RANGE (at);

-- Names that a comparison of text takes for old, on tables that are not, and the other way round.
CREATE TABLE check_f5c0ffee.t_9999_01 PARTITION OF check_f5c0ffee.t
    FOR VALUES FROM ('1999-01-01 00:00:00+00') TO ('1999-02-01 00:00:00+00');
CREATE TABLE check_f5c0ffee.t_1999_02 PARTITION OF check_f5c0ffee.t
    FOR VALUES FROM ('1999-02-01 00:00:00+00') TO ('9999-01-01 00:00:00+00');
CREATE TABLE check_f5c0ffee.t_1999_03 PARTITION OF check_f5c0ffee.t DEFAULT;
CREATE TABLE check_f5c0ffee.t_1999_01_backup (at TIMESTAMPTZ);
CREATE TABLE check_f5c0ffee."tX1999_keep" (at TIMESTAMPTZ);

SELECT public.drop_old_partitions('check_f5c0ffee', 't', 1);

DO $$
DECLARE
    v_left TEXT;
BEGIN
    SELECT string_agg(c.relname, ' ' ORDER BY c.relname COLLATE "C") INTO v_left
    FROM pg_catalog.pg_class AS c
    WHERE c.relnamespace = 'check_f5c0ffee'::REGNAMESPACE;
    IF v_left IS DISTINCT FROM 't tX1999_keep t_1999_01_backup t_1999_02 t_1999_03' THEN
        RAISE EXCEPTION 'check failed: retention leaves %', v_left;
    END IF;
END;
$$;

-- The cutoff is the first of the month that is retention_months ago, to the microsecond.
CREATE TABLE check_f5c0ffee.m (at TIMESTAMPTZ NOT NULL) PARTITION BY RANGE (at);
DO $$
DECLARE
    v_cutoff TIMESTAMPTZ := (date_trunc('month', now() AT TIME ZONE 'UTC') - INTERVAL '3 months') AT TIME ZONE 'UTC';
    v_left TEXT;
BEGIN
    EXECUTE format('CREATE TABLE check_f5c0ffee.m_expired PARTITION OF check_f5c0ffee.m FOR VALUES FROM (%L) TO (%L)',
                   v_cutoff - INTERVAL '20 days', v_cutoff);
    EXECUTE format('CREATE TABLE check_f5c0ffee.m_reaching_over PARTITION OF check_f5c0ffee.m FOR VALUES FROM (%L) TO (%L)',
                   v_cutoff, v_cutoff + INTERVAL '1 microsecond');
    EXECUTE format('CREATE TABLE check_f5c0ffee.m_last PARTITION OF check_f5c0ffee.m FOR VALUES FROM (%L) TO (%L)',
                   v_cutoff + INTERVAL '1 microsecond', v_cutoff + INTERVAL '1 day');

    PERFORM public.drop_old_partitions('check_f5c0ffee', 'm', 3);
    SELECT string_agg(c.relname, ' ' ORDER BY c.relname) INTO v_left
    FROM pg_catalog.pg_class AS c
    WHERE c.relname IN ('m_expired', 'm_reaching_over', 'm_last') AND c.relnamespace = 'check_f5c0ffee'::REGNAMESPACE;
    IF v_left IS DISTINCT FROM 'm_last m_reaching_over' THEN
        RAISE EXCEPTION 'check failed: keeping three months leaves %', v_left;
    END IF;

    -- All of them expired: the last one stays.
    PERFORM public.drop_old_partitions('check_f5c0ffee', 'm', 1);
    SELECT string_agg(c.relname, ' ' ORDER BY c.relname) INTO v_left
    FROM pg_catalog.pg_class AS c
    WHERE c.relname IN ('m_expired', 'm_reaching_over', 'm_last') AND c.relnamespace = 'check_f5c0ffee'::REGNAMESPACE;
    IF v_left IS DISTINCT FROM 'm_last' THEN
        RAISE EXCEPTION 'check failed: keeping one month leaves %', v_left;
    END IF;
END;
$$;

-- maintain_partitions keeps what the document says: tasks and audit 24 months, notifications 6, events and page views 12.
DO $$
DECLARE
    v_month TIMESTAMP := date_trunc('month', now() AT TIME ZONE 'UTC');
    v_keep RECORD;
    v_day TIMESTAMP;
    v_bound TIMESTAMP;
BEGIN
    FOR v_keep IN
        SELECT *
        FROM (VALUES ('app.tasks', 24), ('app.notifications', 6), ('audit.audit_log', 24), ('analytics.page_views', 12), ('analytics.events', 12)) AS k (name, months)
    LOOP
        v_bound := v_month - make_interval(months => v_keep.months);
        -- One day just expired, one not yet; what covers them already may be any partition.
        PERFORM public.ensure_range_partitions(v_keep.name::REGCLASS, 'day', (v_bound - INTERVAL '1 day') AT TIME ZONE 'UTC',
                                               (v_bound + INTERVAL '1 day') AT TIME ZONE 'UTC');
    END LOOP;

    PERFORM public.maintain_partitions();

    FOR v_keep IN
        SELECT *
        FROM (VALUES ('app.tasks', 24), ('app.notifications', 6), ('audit.audit_log', 24), ('analytics.page_views', 12), ('analytics.events', 12)) AS k (name, months)
    LOOP
        v_bound := v_month - make_interval(months => v_keep.months);
        IF EXISTS (SELECT FROM public.list_range_partitions(v_keep.name::REGCLASS) AS p WHERE p.upper_bound <= v_bound AT TIME ZONE 'UTC') THEN
            RAISE EXCEPTION 'check failed: % keeps partitions older than % months', v_keep.name, v_keep.months;
        END IF;
        IF NOT EXISTS (
            SELECT FROM public.list_range_partitions(v_keep.name::REGCLASS) AS p
            WHERE p.lower_bound <= v_bound AT TIME ZONE 'UTC' AND p.upper_bound > v_bound AT TIME ZONE 'UTC'
        ) THEN
            RAISE EXCEPTION 'check failed: % loses partitions within % months', v_keep.name, v_keep.months;
        END IF;
    END LOOP;
END;
$$;

SELECT pg_temp.must_fail(f.what, f.sqlstate, f.sql)
FROM (VALUES
    ('keeping 0 months', '22023', 'SELECT public.drop_old_partitions(''app'', ''tasks'', 0)'),
    ('keeping -1 months', '22023', 'SELECT public.drop_old_partitions(''app'', ''tasks'', -1)'),
    ('keeping NULL months', '22023', 'SELECT public.drop_old_partitions(''app'', ''tasks'', NULL)'),
    ('a cutoff in the future', '22023', 'SELECT public.drop_expired_partitions(''app.tasks'', now() + INTERVAL ''1 day'')'),
    ('no cutoff', '22023', 'SELECT public.drop_expired_partitions(''app.tasks'', NULL)'),
    ('a plain table', '42809', 'SELECT public.drop_old_partitions(''app'', ''projects'', 12)'),
    ('a table that does not exist', '42P01', 'SELECT public.drop_old_partitions(''app'', ''nothing'', 12)')
) AS f (what, sqlstate, sql);

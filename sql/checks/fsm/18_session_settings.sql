-- check: the functions do the same under any time zone, date style and search_path of the session, also with decoys in its temporary schema.

-- Found first by whatever looks for them without a schema.
CREATE TEMPORARY TABLE organization_members (organization_id UUID, user_id UUID, status TEXT, role TEXT) ON COMMIT DROP;
CREATE TEMPORARY TABLE pg_inherits (inhrelid OID, inhparent OID) ON COMMIT DROP;

CREATE FUNCTION pg_temp.bounds(p_partition TEXT)
RETURNS TEXT
LANGUAGE sql
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
AS $$ SELECT pg_catalog.pg_get_expr(c.relpartbound, c.oid) FROM pg_catalog.pg_class AS c WHERE c.oid = to_regclass(p_partition) $$;

DO $$
DECLARE
    v_setting RECORD;
BEGIN
    FOR v_setting IN
        SELECT *
        FROM (VALUES
            (1, 'UTC', 'ISO, YMD', 'public'),
            (2, 'America/Sao_Paulo', 'SQL, DMY', 'pg_temp'),
            (3, 'Pacific/Auckland', 'German', ''),
            (4, 'America/New_York', 'Postgres, MDY', 'pg_temp, audit, app')
        ) AS s (n, time_zone, date_style, search_path)
    LOOP
        PERFORM set_config('TimeZone', v_setting.time_zone, TRUE);
        PERFORM set_config('DateStyle', v_setting.date_style, TRUE);
        PERFORM set_config('search_path', v_setting.search_path, TRUE);

        PERFORM public.ensure_range_partitions('app.tasks', 'month',
            make_timestamptz(4000 + v_setting.n, 3, 1, 0, 0, 0, 'UTC'), make_timestamptz(4000 + v_setting.n, 4, 1, 0, 0, 0, 'UTC'));
        PERFORM public.create_partition('analytics.events', format('analytics.events_%s_03_01', 4000 + v_setting.n),
            make_date(4000 + v_setting.n, 3, 1), make_date(4000 + v_setting.n, 3, 2));
        PERFORM public.maintain_partitions();

        IF pg_temp.bounds(format('app.tasks_%s_03', 4000 + v_setting.n)) IS DISTINCT FROM format(
            'FOR VALUES FROM (''%1$s-03-01 00:00:00+00'') TO (''%1$s-04-01 00:00:00+00'')', 4000 + v_setting.n) THEN
            RAISE EXCEPTION 'check failed: under % a month is %', v_setting.time_zone,
                pg_temp.bounds(format('app.tasks_%s_03', 4000 + v_setting.n));
        END IF;
        IF pg_temp.bounds(format('analytics.events_%s_03_01', 4000 + v_setting.n)) IS DISTINCT FROM format(
            'FOR VALUES FROM (''%1$s-03-01 00:00:00+00'') TO (''%1$s-03-02 00:00:00+00'')', 4000 + v_setting.n) THEN
            RAISE EXCEPTION 'check failed: under % a day is %', v_setting.time_zone,
                pg_temp.bounds(format('analytics.events_%s_03_01', 4000 + v_setting.n));
        END IF;
    END LOOP;
END;
$$;

-- A decoy of the table of members makes nobody a member.
DO $$
DECLARE
    v_org UUID := 'f5c0ffee-0000-4000-8000-000000000001';
BEGIN
    PERFORM set_config('search_path', 'pg_temp, public', TRUE);
    PERFORM set_config('app.current_user_id', v_org::TEXT, TRUE);
    INSERT INTO pg_temp.organization_members (organization_id, user_id, status, role) VALUES (v_org, v_org, 'active', 'owner');
    IF app.is_organization_member(v_org) OR app.get_organization_role(v_org) IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: a temporary table makes its owner a member';
    END IF;
END;
$$;

-- Rows are written and logged without any search_path.
SET LOCAL search_path = '';
INSERT INTO auth.users (id, email, password_hash)
VALUES ('f5c0ffee-0000-4000-8000-000000000001', 'check-1@fsm.invalid', 'hash');
UPDATE auth.users
SET first_name = 'x'
WHERE id = 'f5c0ffee-0000-4000-8000-000000000001';

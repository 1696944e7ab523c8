-- check: create_monthly_partitions covers this month and three more, whatever is there already, and does nothing the second time.

-- Gone at once where no transaction is open, and every block below fails: nothing is ever lost for a check.
CREATE TEMPORARY TABLE inside_transaction ON COMMIT DROP AS SELECT TRUE AS yes;

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

DO $$
DECLARE
    v_partition REGCLASS;
    v_month TIMESTAMPTZ := date_trunc('month', now(), 'UTC');
    v_found TEXT;
BEGIN
    PERFORM g.yes FROM inside_transaction AS g;
    PERFORM set_config('TimeZone', 'UTC', TRUE);

    FOR v_partition IN SELECT i.inhrelid::REGCLASS FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = 'messages'::REGCLASS LOOP
        EXECUTE format('ALTER TABLE messages DETACH PARTITION %s', v_partition);
        EXECUTE format('ALTER TABLE %s RENAME TO %I', v_partition, 'check_detached_' || v_partition::OID);
    END LOOP;

    IF create_monthly_partitions() <> 4 OR create_monthly_partitions(3) <> 0 THEN
        RAISE EXCEPTION 'check failed: create_monthly_partitions() does not make four partitions once';
    END IF;
    SELECT string_agg(format('%s %s %s', p.partition, p.lower_bound = v_month + make_interval(months => p.n::INT - 1),
                             p.upper_bound = v_month + make_interval(months => p.n::INT)), ', ' ORDER BY p.n)
    INTO v_found
    FROM (SELECT r.*, row_number() OVER (ORDER BY r.lower_bound) AS n FROM list_range_partitions('messages') AS r) AS p;
    IF v_found <> (
        SELECT string_agg(format('messages_%s t t', to_char(v_month + make_interval(months => m.m), 'YYYY_MM')), ', ' ORDER BY m.m)
        FROM generate_series(0, 3) AS m (m)
    ) THEN
        RAISE EXCEPTION 'check failed: create_monthly_partitions() makes %', v_found;
    END IF;

    IF create_monthly_partitions(5) <> 2 THEN
        RAISE EXCEPTION 'check failed: create_monthly_partitions(5) does not add two';
    END IF;

    -- What is made has what the table has: row level security, triggers, indexes, foreign keys.
    SELECT string_agg(p.partition::TEXT, ', ') INTO v_found
    FROM list_range_partitions('messages') AS p
    JOIN pg_catalog.pg_class AS c ON c.oid = p.partition
    JOIN pg_catalog.pg_class AS t ON t.oid = 'messages'::REGCLASS
    WHERE c.relowner <> t.relowner
       OR NOT c.relrowsecurity
       OR (SELECT count(*) FROM pg_catalog.pg_trigger AS g JOIN pg_catalog.pg_trigger AS o ON o.oid = g.tgparentid WHERE g.tgrelid = c.oid AND NOT o.tgisinternal)
          <> (SELECT count(*) FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = t.oid AND NOT g.tgisinternal AND (g.tgtype & 1) = 1)
       OR (SELECT count(*) FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.oid)
          <> (SELECT count(*) FROM pg_catalog.pg_index AS i WHERE i.indrelid = t.oid)
       OR (SELECT count(*) FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'f') <> 4;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: new partitions are not like their table: %', v_found;
    END IF;
END;
$$;

SELECT pg_temp.must_fail(format('create_monthly_partitions(%s)', m.m), '22023', format('SELECT create_monthly_partitions(%s)', m.m))
FROM unnest(ARRAY['-1', 'NULL', '121']) AS m (m);

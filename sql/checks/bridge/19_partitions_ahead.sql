-- check: create_monthly_partitions makes this month to three ahead for messages, this quarter and the next for the logs; again, nothing.

-- Gone at once where no transaction is open, and every block below fails: nothing is ever lost for a check.
CREATE TEMPORARY TABLE inside_transaction ON COMMIT DROP AS SELECT TRUE AS yes;

DO $$
DECLARE
    v_month TIMESTAMPTZ := date_trunc('month', now(), 'UTC');
    v_quarter TIMESTAMPTZ := date_trunc('quarter', now(), 'UTC');
    v_partition REGCLASS;
    v_found TEXT;
    v_wanted TEXT;
    v_before OID[];
BEGIN
    PERFORM g.yes FROM inside_transaction AS g;
    PERFORM set_config('TimeZone', 'UTC', TRUE);

    -- From nothing: what holds must not depend on what an earlier run left.
    FOR v_partition IN
        SELECT i.inhrelid::REGCLASS
        FROM pg_catalog.pg_inherits AS i
        WHERE i.inhparent = ANY (ARRAY['activity_mappings', 'stage_change_logs', 'audit_logs']::REGCLASS[])
    LOOP
        EXECUTE format('DROP TABLE %s', v_partition);
    END LOOP;

    PERFORM create_monthly_partitions();

    SELECT string_agg(format('%s %s %s %s', t.name, p.partition, p.lower_bound, p.upper_bound), E'\n' ORDER BY t.n, p.lower_bound)
    INTO v_found
    FROM unnest(ARRAY['activity_mappings', 'stage_change_logs', 'audit_logs']) WITH ORDINALITY AS t (name, n)
    CROSS JOIN LATERAL list_range_partitions(t.name) AS p;

    SELECT string_agg(format('%s %s %s %s', w.name, w.partition, w.lower_bound, w.upper_bound), E'\n' ORDER BY w.n, w.lower_bound)
    INTO v_wanted
    FROM (
        SELECT 1 AS n, 'activity_mappings' AS name, to_char(m.at, '"activity_mappings_"YYYY_MM') AS partition,
               m.at AS lower_bound, m.at + INTERVAL '1 month' AS upper_bound
        FROM generate_series(v_month, v_month + INTERVAL '3 months', INTERVAL '1 month') AS m (at)
        UNION ALL
        SELECT t.n, t.name, t.name || to_char(q.at, '"_"YYYY"_q"Q'), q.at, q.at + INTERVAL '3 months'
        FROM generate_series(v_quarter, v_quarter + INTERVAL '3 months', INTERVAL '3 months') AS q (at)
        CROSS JOIN (VALUES (2, 'stage_change_logs'), (3, 'audit_logs')) AS t (n, name)
    ) AS w;

    IF v_found IS DISTINCT FROM v_wanted THEN
        RAISE EXCEPTION E'check failed: create_monthly_partitions made\n%\nnot\n%', v_found, v_wanted;
    END IF;

    SELECT array_agg(i.inhrelid ORDER BY i.inhrelid) INTO v_before FROM pg_catalog.pg_inherits AS i;
    PERFORM create_monthly_partitions();
    IF v_before <> (SELECT array_agg(i.inhrelid ORDER BY i.inhrelid) FROM pg_catalog.pg_inherits AS i) THEN
        RAISE EXCEPTION 'check failed: create_monthly_partitions again is not without effect';
    END IF;

    -- A month that went missing comes back, and only that.
    EXECUTE format('DROP TABLE %I', 'activity_mappings' || to_char(v_month + INTERVAL '1 month', '_YYYY_MM'));
    PERFORM create_monthly_partitions();
    IF 4 <> (SELECT count(*) FROM list_range_partitions('activity_mappings')) THEN
        RAISE EXCEPTION 'check failed: create_monthly_partitions did not fill a gap between two months';
    END IF;
END;
$$;

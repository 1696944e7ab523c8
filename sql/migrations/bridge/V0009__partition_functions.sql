-- bridge V0009: functions that make partitions ahead of time and drop expired ones.
-- Lock: none on any table; functions only. What each function locks when it is called stands above it.
--
-- What a partition holds is read from its bounds in the catalog, never from its name. The functions read and write
-- bounds at UTC, whatever time zone, date style or search_path the session has.

-- The partitions of p_parent in order of their bounds. MINVALUE and MAXVALUE come as -infinity and infinity;
-- the DEFAULT partition comes last, with null bounds. Locks nothing.
CREATE FUNCTION list_range_partitions(p_parent REGCLASS)
RETURNS TABLE (partition REGCLASS, lower_bound TIMESTAMPTZ, upper_bound TIMESTAMPTZ)
LANGUAGE plpgsql
STABLE
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
AS $$
BEGIN
    IF p_parent IS NULL THEN
        RAISE EXCEPTION 'list_range_partitions: the table is null'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;

    IF NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_partitioned_table AS t
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.partrelid AND a.attnum = t.partattrs[0]
        WHERE t.partrelid = p_parent
          AND t.partstrat = 'r'
          AND t.partnatts = 1
          AND a.atttypid = 'pg_catalog.timestamptz'::REGTYPE
    ) THEN
        RAISE EXCEPTION 'table "%" is not partitioned by range of one TIMESTAMPTZ column', p_parent
            USING ERRCODE = 'wrong_object_type';
    END IF;

    RETURN QUERY
    SELECT
        c.oid::REGCLASS,
        CASE WHEN m.bounds[1] = 'MINVALUE' THEN '-infinity' ELSE trim(BOTH '''' FROM m.bounds[1]) END::TIMESTAMPTZ AS lower_at,
        CASE WHEN m.bounds[2] = 'MAXVALUE' THEN 'infinity' ELSE trim(BOTH '''' FROM m.bounds[2]) END::TIMESTAMPTZ
    FROM pg_catalog.pg_inherits AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL (
        SELECT regexp_match(
            pg_catalog.pg_get_expr(c.relpartbound, c.oid),
            '^FOR VALUES FROM [(](.+)[)] TO [(](.+)[)]$'
        )
    ) AS m (bounds)
    WHERE i.inhparent = p_parent
    ORDER BY lower_at NULLS LAST;
END;
$$;

SELECT pin_search_path('list_range_partitions(REGCLASS)');

-- The partitions of p_parent that lie before p_cutoff as a whole. Never the DEFAULT partition, and never the one with
-- the highest bounds: the table always keeps one. Locks nothing.
CREATE FUNCTION list_expired_partitions(p_parent REGCLASS, p_cutoff TIMESTAMPTZ)
RETURNS TABLE (partition REGCLASS, lower_bound TIMESTAMPTZ, upper_bound TIMESTAMPTZ)
LANGUAGE plpgsql
STABLE
AS $$
BEGIN
    -- A cutoff that is not in the future spares the partition that takes the rows of today.
    IF p_cutoff IS NULL OR p_cutoff > now() THEN
        RAISE EXCEPTION 'partitions of "%" cannot expire at %: the cutoff must not be in the future',
                p_parent, COALESCE(p_cutoff::TEXT, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    RETURN QUERY
    SELECT p.partition, p.lower_bound, p.upper_bound
    FROM (
        SELECT r.partition, r.lower_bound, r.upper_bound, max(r.upper_bound) OVER () AS highest_bound
        FROM list_range_partitions(p_parent) AS r
    ) AS p
    WHERE p.upper_bound <= p_cutoff
      AND p.upper_bound < p.highest_bound
    ORDER BY p.lower_bound;
END;
$$;

SELECT pin_search_path('list_expired_partitions(REGCLASS, TIMESTAMPTZ)');

-- Gives p_parent a partition for every month or quarter (p_step) at UTC that touches p_from .. p_to (exclusive);
-- returns how many it made. Time that some partition covers already is left alone, however wide that partition is;
-- a period that is covered in part gets partitions for the rest of it. Names: <parent>_YYYY_MM, <parent>_YYYY_qN.
-- Locks p_parent in SHARE UPDATE EXCLUSIVE mode, which stops neither reads nor writes (CREATE ... PARTITION OF would
-- stop both); if it has a DEFAULT partition, that one ACCESS EXCLUSIVE and for the time a scan of it takes.
CREATE FUNCTION ensure_range_partitions(
    p_parent REGCLASS,
    p_step TEXT,
    p_from TIMESTAMPTZ,
    p_to TIMESTAMPTZ
)
RETURNS INTEGER
LANGUAGE plpgsql
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
AS $$
DECLARE
    v_schema NAME;
    v_table NAME;
    v_owner NAME;
    v_width INTERVAL;
    v_label TEXT;
    v_period TIMESTAMPTZ;
    v_period_end TIMESTAMPTZ;
    v_lower TIMESTAMPTZ;
    v_name TEXT;
    v_next RECORD;
    v_created INTEGER := 0;
BEGIN
    IF p_step = 'month' THEN
        v_width := INTERVAL '1 month';
        v_label := '_YYYY_MM';
    ELSIF p_step = 'quarter' THEN
        v_width := INTERVAL '3 months';
        v_label := '_YYYY_"q"Q';
    ELSE
        RAISE EXCEPTION 'unknown partition step "%"', COALESCE(p_step, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'use ''month'' or ''quarter''';
    END IF;

    IF p_from IS NULL OR p_to IS NULL OR NOT isfinite(p_from) OR NOT isfinite(p_to) OR p_from >= p_to THEN
        RAISE EXCEPTION 'cannot make partitions of "%" from % to %: the range is empty or has no end',
                p_parent, COALESCE(p_from::TEXT, 'NULL'), COALESCE(p_to::TEXT, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    -- Two runs at once: the second waits here, then sees what the first has made.
    PERFORM pg_advisory_xact_lock(hashtextextended('range_partitions:' || p_parent::OID, 0));

    SELECT n.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner)
    INTO v_schema, v_table, v_owner
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = p_parent;

    v_period := date_trunc(p_step, p_from);
    WHILE v_period < p_to LOOP
        v_period_end := v_period + v_width;
        v_lower := v_period;

        -- What lies in this period already, in order, and its end as a last entry: each gap before one is filled.
        FOR v_next IN
            SELECT r.lower_bound, r.upper_bound
            FROM list_range_partitions(p_parent) AS r
            WHERE r.lower_bound < v_period_end
              AND r.upper_bound > v_period
            UNION ALL
            SELECT v_period_end, v_period_end
            ORDER BY 1
        LOOP
            IF v_lower < v_next.lower_bound THEN
                v_name := v_table || to_char(v_period, v_label);
                IF EXISTS (
                    SELECT
                    FROM list_range_partitions(p_parent) AS r
                    WHERE r.partition = to_regclass(format('%I.%I', v_schema, v_name))
                ) THEN
                    v_name := v_name || to_char(v_lower, '_DD_HH24MISS');
                END IF;
                IF octet_length(v_name) > 63 THEN
                    RAISE EXCEPTION 'the partition name "%" is longer than 63 bytes', v_name
                        USING ERRCODE = 'name_too_long';
                END IF;

                -- IF NOT EXISTS would take whatever has the name for the partition.
                IF to_regclass(format('%I.%I', v_schema, v_name)) IS NOT NULL THEN
                    RAISE EXCEPTION '"%.%" exists, but is not a partition of "%" for % to %',
                            v_schema, v_name, p_parent, v_lower, v_next.lower_bound
                        USING ERRCODE = 'duplicate_table',
                              SCHEMA = v_schema,
                              TABLE = v_name,
                              HINT = format('move it out of the way: ALTER TABLE %I.%I RENAME TO %I',
                                            v_schema, v_name, left(v_name, 58) || '_old');
                END IF;

                EXECUTE format(
                    'CREATE TABLE %I.%I (LIKE %s INCLUDING ALL EXCLUDING IDENTITY EXCLUDING COMMENTS)',
                    v_schema, v_name, p_parent
                );
                EXECUTE format('ALTER TABLE %I.%I OWNER TO %I', v_schema, v_name, v_owner);
                EXECUTE format(
                    'ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
                    p_parent, v_schema, v_name, v_lower, v_next.lower_bound
                );
                v_created := v_created + 1;
                RAISE NOTICE 'Created partition: %', v_name;
            END IF;

            v_lower := GREATEST(v_lower, v_next.upper_bound);
        END LOOP;

        v_period := v_period_end;
    END LOOP;

    RETURN v_created;
END;
$$;

SELECT pin_search_path('ensure_range_partitions(REGCLASS, TEXT, TIMESTAMPTZ, TIMESTAMPTZ)');

-- Drops the partitions of p_parent that list_expired_partitions names; returns how many. Never CASCADE.
-- Locks p_parent and each dropped partition in ACCESS EXCLUSIVE mode until the transaction ends. While it waits for
-- that lock, everybody behind it waits too: set lock_timeout; without one it gives up after 3 s (55P03).
CREATE FUNCTION drop_expired_partitions(p_parent REGCLASS, p_cutoff TIMESTAMPTZ)
RETURNS INTEGER
LANGUAGE plpgsql
AS $$
DECLARE
    v_lock_timeout TEXT := current_setting('lock_timeout');
    v_expired RECORD;
    v_dropped INTEGER := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('range_partitions:' || p_parent::OID, 0));

    IF v_lock_timeout = '0' THEN
        PERFORM set_config('lock_timeout', '3s', TRUE);
    END IF;

    FOR v_expired IN
        SELECT e.partition
        FROM list_expired_partitions(p_parent, p_cutoff) AS e
    LOOP
        EXECUTE format('DROP TABLE %s', v_expired.partition);
        v_dropped := v_dropped + 1;
        RAISE NOTICE 'Dropped old partition: %', v_expired.partition;
    END LOOP;

    PERFORM set_config('lock_timeout', v_lock_timeout, TRUE);

    RETURN v_dropped;
END;
$$;

SELECT pin_search_path('drop_expired_partitions(REGCLASS, TIMESTAMPTZ)');

-- Frees the ids of messages that lie before p_cutoff and leave with their partition, or have left with it already,
-- whoever dropped it; returns how many. Messages before p_cutoff that stay (in the DEFAULT partition, or in one that
-- reaches over the cutoff) keep theirs. Locks the rows it deletes.
CREATE FUNCTION purge_activity_message_keys(p_cutoff TIMESTAMPTZ)
RETURNS BIGINT
LANGUAGE plpgsql
AS $$
DECLARE
    v_default REGCLASS;
    v_purged BIGINT;
BEGIN
    SELECT r.partition INTO v_default
    FROM list_range_partitions('activity_mappings') AS r
    WHERE r.lower_bound IS NULL;

    EXECUTE format(
        $sql$
        DELETE FROM activity_message_keys AS k
        WHERE k.created_at < $1
          AND NOT EXISTS (
              SELECT
              FROM list_range_partitions('activity_mappings') AS r
              WHERE k.created_at >= r.lower_bound
                AND k.created_at < r.upper_bound
                AND r.partition NOT IN (
                    SELECT e.partition
                    FROM list_expired_partitions('activity_mappings', $1) AS e
                )
          )
          %s
        $sql$,
        CASE WHEN v_default IS NOT NULL THEN format(
            'AND NOT EXISTS (
                SELECT
                FROM %s AS d
                WHERE d.chatwoot_message_id = k.chatwoot_message_id
                  AND d.created_at = k.created_at
            )',
            v_default
        ) END
    ) USING p_cutoff;
    GET DIAGNOSTICS v_purged = ROW_COUNT;

    RETURN v_purged;
END;
$$;

SELECT pin_search_path('purge_activity_message_keys(TIMESTAMPTZ)');

-- The run for every month: messages get partitions from this month to three ahead, both logs this quarter and the next.
CREATE FUNCTION create_monthly_partitions()
RETURNS VOID
LANGUAGE plpgsql
SET TimeZone = 'UTC'
AS $$
DECLARE
    v_month TIMESTAMPTZ := date_trunc('month', now());
    v_quarter TIMESTAMPTZ := date_trunc('quarter', now());
BEGIN
    PERFORM ensure_range_partitions('activity_mappings', 'month', v_month, v_month + INTERVAL '4 months');
    PERFORM ensure_range_partitions('stage_change_logs', 'quarter', v_quarter, v_quarter + INTERVAL '6 months');
    PERFORM ensure_range_partitions('audit_logs', 'quarter', v_quarter, v_quarter + INTERVAL '6 months');
END;
$$;

SELECT pin_search_path('create_monthly_partitions()');

-- Drops the partitions of activity_mappings that ended before the month that was retention_months ago, with the keys
-- of their messages. The logs are kept 5 years and are not touched. Locks as drop_expired_partitions does.
CREATE FUNCTION drop_old_partitions(retention_months INT DEFAULT 12)
RETURNS VOID
LANGUAGE plpgsql
SET TimeZone = 'UTC'
AS $$
DECLARE
    v_cutoff TIMESTAMPTZ;
BEGIN
    IF retention_months IS NULL OR retention_months < 1 THEN
        RAISE EXCEPTION 'drop_old_partitions: cannot keep % months', COALESCE(retention_months::TEXT, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'keep at least one: SELECT drop_old_partitions(1)';
    END IF;

    v_cutoff := date_trunc('month', now() - make_interval(months => retention_months));

    -- Keys first: their deletion may take a while, and the lock that DROP takes is held to the end.
    PERFORM purge_activity_message_keys(v_cutoff);
    PERFORM drop_expired_partitions('activity_mappings', v_cutoff);
END;
$$;

SELECT pin_search_path('drop_old_partitions(INT)');

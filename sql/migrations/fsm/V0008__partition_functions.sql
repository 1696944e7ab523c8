-- fsm V0008: functions that make partitions ahead of time and drop expired ones, and the first run of them.
-- Lock: SHARE UPDATE EXCLUSIVE on the five partitioned tables, SHARE ROW EXCLUSIVE on the tables that their foreign
--       keys point to; catalog only, the new partitions are empty.
--
-- What a partition holds is read from its bounds in the catalog, never from its name. The functions read and write
-- bounds at UTC, whatever time zone, date style or search_path the session has.

-- The partitions of p_parent in order of their bounds. MINVALUE and MAXVALUE come as -infinity and infinity;
-- the DEFAULT partition comes last, with null bounds. Locks nothing.
CREATE FUNCTION public.list_range_partitions(p_parent REGCLASS)
RETURNS TABLE (partition REGCLASS, lower_bound TIMESTAMPTZ, upper_bound TIMESTAMPTZ)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
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

-- The partitions of p_parent that lie before p_cutoff as a whole. Never the DEFAULT partition, and never the one with
-- the highest bounds: the table always keeps one. Locks nothing.
CREATE FUNCTION public.list_expired_partitions(p_parent REGCLASS, p_cutoff TIMESTAMPTZ)
RETURNS TABLE (partition REGCLASS, lower_bound TIMESTAMPTZ, upper_bound TIMESTAMPTZ)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
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
        FROM public.list_range_partitions(p_parent) AS r
    ) AS p
    WHERE p.upper_bound <= p_cutoff
      AND p.upper_bound < p.highest_bound
    ORDER BY p.lower_bound;
END;
$$;

-- The storage parameters of a partition of p_parent, or null. A partitioned table cannot carry them itself.
CREATE FUNCTION public.partition_storage_parameters(p_parent REGCLASS)
RETURNS TEXT
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE p_parent
        WHEN to_regclass('app.tasks') THEN
            'autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 10'
        WHEN to_regclass('analytics.events') THEN
            'autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 5'
    END
$$;

-- Makes the table p_schema.p_name and attaches it to p_parent for p_from .. p_to (exclusive).
-- Attaching a table stops neither readers nor writers of p_parent, CREATE ... PARTITION OF would stop both. Writers of
-- the tables that p_parent's foreign keys point to wait until the transaction ends.
CREATE FUNCTION public.attach_new_partition(
    p_parent REGCLASS,
    p_schema NAME,
    p_name NAME,
    p_from TIMESTAMPTZ,
    p_to TIMESTAMPTZ
)
RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
AS $$
DECLARE
    v_owner NAME;
    v_row_security BOOLEAN;
    v_parameters TEXT := public.partition_storage_parameters(p_parent);
BEGIN
    -- IF NOT EXISTS would take whatever has the name for the partition.
    IF to_regclass(format('%I.%I', p_schema, p_name)) IS NOT NULL THEN
        RAISE EXCEPTION '"%.%" exists, but is not a partition of "%" for % to %', p_schema, p_name, p_parent, p_from, p_to
            USING ERRCODE = 'duplicate_table',
                  SCHEMA = p_schema,
                  TABLE = p_name,
                  HINT = format('move it out of the way: ALTER TABLE %I.%I RENAME TO %I',
                                p_schema, p_name, left(p_name, 58) || '_old');
    END IF;

    SELECT pg_catalog.pg_get_userbyid(c.relowner), c.relrowsecurity
    INTO STRICT v_owner, v_row_security
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = p_parent;

    EXECUTE format('CREATE TABLE %I.%I (LIKE %s INCLUDING ALL EXCLUDING IDENTITY EXCLUDING COMMENTS)',
                   p_schema, p_name, p_parent);
    EXECUTE format('ALTER TABLE %I.%I OWNER TO %I', p_schema, p_name, v_owner);
    IF v_parameters IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %I.%I SET (%s)', p_schema, p_name, v_parameters);
    END IF;
    -- The policies of the parent hold for what goes through it. Straight into the partition: nobody.
    IF v_row_security THEN
        EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', p_schema, p_name);
    END IF;
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
                   p_parent, p_schema, p_name, p_from, p_to);
END;
$$;

-- Gives p_parent a partition for every day or month (p_step) at UTC that touches p_from .. p_to (exclusive); returns
-- how many it made. Time that some partition covers already is left alone, however wide that partition is; a period
-- that is covered in part gets partitions for the rest of it. Names: <parent>_YYYY_MM_DD, <parent>_YYYY_MM.
-- Locks as attach_new_partition does; a DEFAULT partition ACCESS EXCLUSIVE and for the time a scan of it takes.
CREATE FUNCTION public.ensure_range_partitions(
    p_parent REGCLASS,
    p_step TEXT,
    p_from TIMESTAMPTZ,
    p_to TIMESTAMPTZ
)
RETURNS INTEGER
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
AS $$
DECLARE
    v_schema NAME;
    v_table NAME;
    v_width INTERVAL;
    v_label TEXT;
    v_period TIMESTAMPTZ;
    v_period_end TIMESTAMPTZ;
    v_lower TIMESTAMPTZ;
    v_name TEXT;
    v_existing REGCLASS[];
    v_bounds_from TIMESTAMPTZ[];
    v_bounds_to TIMESTAMPTZ[];
    v_next RECORD;
    v_created INTEGER := 0;
BEGIN
    IF p_step = 'day' THEN
        v_width := INTERVAL '1 day';
        v_label := '_YYYY_MM_DD';
    ELSIF p_step = 'month' THEN
        v_width := INTERVAL '1 month';
        v_label := '_YYYY_MM';
    ELSE
        RAISE EXCEPTION 'unknown partition step "%"', COALESCE(p_step, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'use ''day'' or ''month''';
    END IF;

    IF p_from IS NULL OR p_to IS NULL OR NOT isfinite(p_from) OR NOT isfinite(p_to) OR p_from >= p_to THEN
        RAISE EXCEPTION 'cannot make partitions of "%" from % to %: the range is empty or has no end',
                p_parent, COALESCE(p_from::TEXT, 'NULL'), COALESCE(p_to::TEXT, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    -- Two runs at once: the second waits here, then sees what the first has made.
    PERFORM pg_advisory_xact_lock(hashtextextended('range_partitions:' || p_parent::OID, 0));

    SELECT n.nspname, c.relname
    INTO v_schema, v_table
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = p_parent;

    -- Read once: what this run adds lies in periods that it has left behind.
    SELECT array_agg(r.partition), array_agg(r.lower_bound), array_agg(r.upper_bound)
    INTO v_existing, v_bounds_from, v_bounds_to
    FROM public.list_range_partitions(p_parent) AS r;

    v_period := date_trunc(p_step, p_from);
    WHILE v_period < p_to LOOP
        v_period_end := v_period + v_width;
        v_lower := v_period;
        v_name := v_table || to_char(v_period, v_label);

        -- What lies in this period already, in order, and its end as a last entry: each gap before one is filled.
        FOR v_next IN
            SELECT b.lower_bound, b.upper_bound
            FROM unnest(v_bounds_from, v_bounds_to) AS b (lower_bound, upper_bound)
            WHERE b.lower_bound < v_period_end
              AND b.upper_bound > v_period
            UNION ALL
            SELECT v_period_end, v_period_end
            ORDER BY 1
        LOOP
            IF v_lower < v_next.lower_bound THEN
                -- A month of which a part exists under the name: the rest is named after its first moment.
                IF to_regclass(format('%I.%I', v_schema, v_name)) = ANY (v_existing) THEN
                    v_name := v_table || to_char(v_period, v_label) || to_char(v_lower, '_"from"_DD_HH24MISS');
                END IF;
                IF octet_length(v_name) > 63 THEN
                    RAISE EXCEPTION 'the partition name "%" is longer than 63 bytes', v_name
                        USING ERRCODE = 'name_too_long';
                END IF;

                PERFORM public.attach_new_partition(p_parent, v_schema, v_name::NAME, v_lower, v_next.lower_bound);
                v_existing := v_existing || to_regclass(format('%I.%I', v_schema, v_name));
                v_created := v_created + 1;
                RAISE NOTICE 'Created partition % for table %', v_name, p_parent;
            END IF;

            v_lower := GREATEST(v_lower, v_next.upper_bound);
        END LOOP;

        v_period := v_period_end;
    END LOOP;

    RETURN v_created;
END;
$$;

-- Drops the partitions of p_parent that list_expired_partitions names; returns how many. Never CASCADE.
-- Locks p_parent and each dropped partition in ACCESS EXCLUSIVE mode until the transaction ends, and so the tables
-- that foreign keys point to. While it waits for a lock, everybody behind it waits too: set lock_timeout; without one
-- it gives up after 5 s (55P03).
CREATE FUNCTION public.drop_expired_partitions(p_parent REGCLASS, p_cutoff TIMESTAMPTZ)
RETURNS INTEGER
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_lock_timeout TEXT := current_setting('lock_timeout');
    v_expired RECORD;
    v_dropped INTEGER := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('range_partitions:' || p_parent::OID, 0));

    IF v_lock_timeout = '0' THEN
        PERFORM set_config('lock_timeout', '5s', TRUE);
    END IF;

    FOR v_expired IN
        SELECT e.partition
        FROM public.list_expired_partitions(p_parent, p_cutoff) AS e
    LOOP
        EXECUTE format('DROP TABLE %s', v_expired.partition);
        v_dropped := v_dropped + 1;
        RAISE NOTICE 'Dropped old partition %', v_expired.partition;
    END LOOP;

    PERFORM set_config('lock_timeout', v_lock_timeout, TRUE);

    RETURN v_dropped;
END;
$$;

-- Deletes the comments and attachments of the tasks in one partition of app.tasks, and frees their subtasks in the
-- others: DROP TABLE fires no trigger. First without any lock on the partition, which may take a while; then again
-- for what came in between, under a lock that keeps new comments on these tasks away until the transaction ends.
CREATE FUNCTION app.delete_children_of_partition(p_partition REGCLASS)
RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_lock_timeout TEXT := current_setting('lock_timeout');
    v_column TEXT;
BEGIN
    FOR v_pass IN 1..2 LOOP
        IF v_pass = 2 THEN
            IF v_lock_timeout = '0' THEN
                PERFORM set_config('lock_timeout', '5s', TRUE);
            END IF;
            EXECUTE format('LOCK TABLE ONLY %s IN EXCLUSIVE MODE', p_partition);
            PERFORM set_config('lock_timeout', v_lock_timeout, TRUE);
        END IF;

        FOREACH v_column IN ARRAY ARRAY['attachments', 'comments'] LOOP
            EXECUTE format(
                $sql$
                DELETE FROM app.%I AS c
                USING ONLY %s AS t
                WHERE c.task_id = t.id
                  AND NOT EXISTS (SELECT FROM app.tasks AS o WHERE o.id = t.id AND o.tableoid <> t.tableoid)
                $sql$,
                v_column, p_partition
            );
        END LOOP;
        EXECUTE format(
            $sql$
            UPDATE app.tasks AS s
            SET parent_task_id = NULL
            FROM ONLY %s AS t
            WHERE s.parent_task_id = t.id
              AND s.tableoid <> t.tableoid
            $sql$,
            p_partition
        );
    END LOOP;
END;
$$;

-- Deletes at most p_limit comments and at most p_limit attachments of tasks that are gone, because somebody dropped
-- a partition of app.tasks by hand; returns how many. Call it until it returns 0. Locks the rows it deletes.
CREATE FUNCTION app.purge_task_children(p_limit INTEGER DEFAULT 10000)
RETURNS BIGINT
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_attachments BIGINT;
    v_comments BIGINT;
BEGIN
    IF p_limit IS NULL OR p_limit < 1 THEN
        RAISE EXCEPTION 'purge_task_children: cannot delete % rows at a time', COALESCE(p_limit::TEXT, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'SELECT app.purge_task_children(10000)';
    END IF;

    DELETE FROM app.attachments AS a
    WHERE a.id = ANY (ARRAY(
        SELECT o.id
        FROM app.attachments AS o
        WHERE o.task_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM app.tasks AS t WHERE t.id = o.task_id)
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS v_attachments = ROW_COUNT;

    DELETE FROM app.comments AS c
    WHERE c.id = ANY (ARRAY(
        SELECT o.id
        FROM app.comments AS o
        WHERE NOT EXISTS (SELECT FROM app.tasks AS t WHERE t.id = o.task_id)
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS v_comments = ROW_COUNT;

    RETURN v_attachments + v_comments;
END;
$$;

-- Makes one partition of parent_table (schema.table) for start_date .. end_date (exclusive), midnights at UTC.
-- partition_name may carry a schema, else it is the parent's. Nothing happens if partitions cover all of that time.
CREATE FUNCTION public.create_partition(parent_table TEXT, partition_name TEXT, start_date DATE, end_date DATE)
RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
AS $$
DECLARE
    v_parent REGCLASS := to_regclass(parent_table);
    v_name TEXT[] := parse_ident(partition_name);
    v_schema NAME;
    v_from TIMESTAMPTZ := start_date::TIMESTAMP AT TIME ZONE 'UTC';
    v_to TIMESTAMPTZ := end_date::TIMESTAMP AT TIME ZONE 'UTC';
    v_covered INTERVAL;
BEGIN
    IF v_parent IS NULL THEN
        RAISE EXCEPTION 'relation "%" does not exist', parent_table
            USING ERRCODE = 'undefined_table',
                  HINT = 'name it with its schema: ''app.tasks''';
    END IF;
    IF v_name IS NULL OR cardinality(v_name) > 2 OR octet_length(v_name[cardinality(v_name)]) > 63 THEN
        RAISE EXCEPTION 'invalid partition name "%"', COALESCE(partition_name, 'NULL')
            USING ERRCODE = 'invalid_name';
    END IF;
    IF v_from IS NULL OR v_to IS NULL OR NOT isfinite(v_from) OR NOT isfinite(v_to) OR v_from >= v_to THEN
        RAISE EXCEPTION 'cannot make a partition of "%" from % to %: the range is empty or has no end',
                v_parent, COALESCE(start_date::TEXT, 'NULL'), COALESCE(end_date::TEXT, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    PERFORM pg_advisory_xact_lock(hashtextextended('range_partitions:' || v_parent::OID, 0));

    SELECT sum(LEAST(r.upper_bound, v_to) - GREATEST(r.lower_bound, v_from)) INTO v_covered
    FROM public.list_range_partitions(v_parent) AS r
    WHERE r.lower_bound < v_to
      AND r.upper_bound > v_from;
    IF v_covered = v_to - v_from THEN
        RAISE NOTICE 'Table % has partitions from % to % already', v_parent, v_from, v_to;
        RETURN;
    END IF;

    IF cardinality(v_name) = 2 THEN
        v_schema := v_name[1];
    ELSE
        SELECT n.nspname INTO v_schema
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = v_parent;
    END IF;

    PERFORM public.attach_new_partition(v_parent, v_schema, v_name[cardinality(v_name)]::NAME, v_from, v_to);
    RAISE NOTICE 'Created partition % for table %', partition_name, v_parent;
END;
$$;

-- Partitions for this month and months_ahead more, where they are missing.
CREATE FUNCTION public.create_monthly_partitions(schema_name TEXT, table_name TEXT, months_ahead INTEGER DEFAULT 6)
RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
AS $$
DECLARE
    v_month TIMESTAMPTZ := date_trunc('month', now());
BEGIN
    IF months_ahead IS NULL OR months_ahead < 0 THEN
        RAISE EXCEPTION 'create_monthly_partitions: cannot make partitions for % months ahead',
                COALESCE(months_ahead::TEXT, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = '0 makes the one of this month only';
    END IF;

    PERFORM public.ensure_range_partitions(
        format('%I.%I', schema_name, table_name)::REGCLASS,
        'month', v_month, v_month + make_interval(months => months_ahead + 1)
    );
END;
$$;

-- Drops the partitions that ended before the month that was retention_months ago; of app.tasks with the comments and
-- attachments of their tasks. Locks as drop_expired_partitions does.
CREATE FUNCTION public.drop_old_partitions(schema_name TEXT, table_name TEXT, retention_months INTEGER DEFAULT 24)
RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
AS $$
DECLARE
    v_parent REGCLASS := format('%I.%I', schema_name, table_name)::REGCLASS;
    v_cutoff TIMESTAMPTZ;
BEGIN
    IF retention_months IS NULL OR retention_months < 1 THEN
        RAISE EXCEPTION 'drop_old_partitions: cannot keep % months', COALESCE(retention_months::TEXT, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('keep at least one: SELECT drop_old_partitions(%L, %L, 1)', schema_name, table_name);
    END IF;

    v_cutoff := date_trunc('month', now() - make_interval(months => retention_months));

    IF v_parent = 'app.tasks'::REGCLASS THEN
        PERFORM app.delete_children_of_partition(e.partition)
        FROM public.list_expired_partitions(v_parent, v_cutoff) AS e;
    END IF;
    PERFORM public.drop_expired_partitions(v_parent, v_cutoff);
END;
$$;

-- The run for every month. Makes what the next months need before it drops anything. ANALYZE comes first because it
-- stops nobody, while the locks of the rest are held to the end; autovacuum never analyzes a partitioned table.
CREATE FUNCTION public.maintain_partitions()
RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
AS $$
DECLARE
    v_today TIMESTAMPTZ := date_trunc('day', now());
BEGIN
    ANALYZE app.tasks, app.notifications, analytics.events, analytics.page_views, audit.audit_log;

    PERFORM public.create_monthly_partitions('app', 'tasks', 6);
    PERFORM public.create_monthly_partitions('app', 'notifications', 6);
    PERFORM public.create_monthly_partitions('audit', 'audit_log', 6);
    PERFORM public.create_monthly_partitions('analytics', 'page_views', 6);
    PERFORM public.ensure_range_partitions('analytics.events', 'day', v_today, v_today + INTERVAL '91 days');

    PERFORM public.drop_old_partitions('app', 'tasks', 24);
    PERFORM public.drop_old_partitions('app', 'notifications', 6);
    PERFORM public.drop_old_partitions('audit', 'audit_log', 24);
    PERFORM public.drop_old_partitions('analytics', 'page_views', 12);
    PERFORM public.drop_old_partitions('analytics', 'events', 12);

    RAISE NOTICE 'Partition maintenance completed at %', now();
END;
$$;

REVOKE EXECUTE ON FUNCTION
    public.list_range_partitions(REGCLASS),
    public.list_expired_partitions(REGCLASS, TIMESTAMPTZ),
    public.partition_storage_parameters(REGCLASS),
    public.attach_new_partition(REGCLASS, NAME, NAME, TIMESTAMPTZ, TIMESTAMPTZ),
    public.ensure_range_partitions(REGCLASS, TEXT, TIMESTAMPTZ, TIMESTAMPTZ),
    public.drop_expired_partitions(REGCLASS, TIMESTAMPTZ),
    app.delete_children_of_partition(REGCLASS),
    app.purge_task_children(INTEGER),
    public.create_partition(TEXT, TEXT, DATE, DATE),
    public.create_monthly_partitions(TEXT, TEXT, INTEGER),
    public.drop_old_partitions(TEXT, TEXT, INTEGER),
    public.maintain_partitions()
FROM PUBLIC;

-- Before the audit triggers of V0009: from then on every change of a user needs a partition of audit_log.
SELECT public.maintain_partitions();

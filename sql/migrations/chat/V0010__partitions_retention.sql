-- chat V0010: partition functions, the archive of old messages, and what else retention needs.
-- Lock: none on any table; functions and one new table. What each function locks when it is called stands above it.
--
-- What a partition holds is read from its bounds in the catalog, never from its name. The functions read and write
-- bounds at UTC, whatever time zone, date style or search_path the session has.
--
-- Retention, as designed:     who runs it, once a month
-- messages 2 years online     archive_old_messages(24): whole months move to messages_archive, where they are read only
-- archived for 7 years        drop_archived_messages(108), then purge_message_keys(108) until it returns 0
-- audit logs 10 years         cleanup_history(120) until it returns 0
-- user data by privacy law    erase_user_data(user)
--
-- Decided here:
-- The 7 years of the archive are counted after the 2 years online: a message is kept for 9 years. Attachments and robot
--   interactions are kept as long as their message, and so is its key: what replies to it keeps its reference until then.
-- drop_archived_messages keeps 7 years at least and cleanup_history 10, whatever it is told: less is not what was designed.

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

-- Gives p_parent a partition for every month (p_step, at UTC) that touches p_from .. p_to (exclusive); returns how many
-- it made. Time that some partition covers already is left alone, however wide that partition is; a month that is
-- covered in part gets partitions for the rest of it. Names: <parent>_YYYY_MM. A month that is archived is covered too.
-- Locks p_parent in SHARE UPDATE EXCLUSIVE mode, which stops neither reads nor writes (CREATE ... PARTITION OF would
-- stop both), and writers of the tables that its foreign keys point to until the transaction ends; a DEFAULT partition
-- ACCESS EXCLUSIVE and for the time a scan of it takes.
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
    v_row_security BOOLEAN;
    v_period TIMESTAMPTZ;
    v_period_end TIMESTAMPTZ;
    v_lower TIMESTAMPTZ;
    v_name TEXT;
    v_existing REGCLASS[];
    v_lowers TIMESTAMPTZ[];
    v_uppers TIMESTAMPTZ[];
    v_next RECORD;
    v_created INTEGER := 0;
BEGIN
    IF p_step IS DISTINCT FROM 'month' THEN
        RAISE EXCEPTION 'unknown partition step "%"', COALESCE(p_step, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'use ''month''';
    END IF;

    IF p_from IS NULL OR p_to IS NULL OR NOT isfinite(p_from) OR NOT isfinite(p_to) OR p_from >= p_to THEN
        RAISE EXCEPTION 'cannot make partitions of "%" from % to %: the range is empty or has no end',
                p_parent, COALESCE(p_from::TEXT, 'NULL'), COALESCE(p_to::TEXT, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    -- Two runs at once: the second waits here, then sees what the first has made.
    PERFORM pg_advisory_xact_lock(hashtextextended('range_partitions:' || p_parent::OID, 0));

    SELECT n.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner), c.relrowsecurity
    INTO STRICT v_schema, v_table, v_owner, v_row_security
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = p_parent;

    -- Read once: what this run adds lies in months that it has left behind.
    SELECT array_agg(r.partition), array_agg(r.lower_bound), array_agg(r.upper_bound)
    INTO v_existing, v_lowers, v_uppers
    FROM (
        SELECT p.partition, p.lower_bound, p.upper_bound
        FROM list_range_partitions(p_parent) AS p
        UNION ALL
        SELECT p.partition, p.lower_bound, p.upper_bound
        FROM list_range_partitions('messages_archive') AS p
        WHERE p_parent = 'messages'::REGCLASS
    ) AS r;

    v_period := date_trunc('month', p_from);
    WHILE v_period < p_to LOOP
        v_period_end := v_period + INTERVAL '1 month';
        v_lower := v_period;

        -- What lies in this month already, in order, and its end as a last entry: each gap before one is filled.
        FOR v_next IN
            SELECT b.lower_bound, b.upper_bound
            FROM unnest(v_lowers, v_uppers) AS b (lower_bound, upper_bound)
            WHERE b.lower_bound < v_period_end
              AND b.upper_bound > v_period
            UNION ALL
            SELECT v_period_end, v_period_end
            ORDER BY 1
        LOOP
            IF v_lower < v_next.lower_bound THEN
                v_name := v_table || to_char(v_period, '_YYYY_MM');
                -- A month of which a part exists under the name: the rest is named after its first moment.
                IF to_regclass(format('%I.%I', v_schema, v_name)) = ANY (v_existing) THEN
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
                -- The policies of the parent hold for what goes through it. Straight into the partition: nobody.
                IF v_row_security THEN
                    EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', v_schema, v_name);
                END IF;
                EXECUTE format(
                    'ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
                    p_parent, v_schema, v_name, v_lower, v_next.lower_bound
                );
                v_existing := v_existing || to_regclass(format('%I.%I', v_schema, v_name));
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

-- The run for every month: messages get partitions from this month to p_months_ahead ahead; returns how many it made.
-- Locks as ensure_range_partitions does.
CREATE FUNCTION create_monthly_partitions(p_months_ahead INTEGER DEFAULT 3)
RETURNS INTEGER
LANGUAGE plpgsql
SET TimeZone = 'UTC'
AS $$
DECLARE
    v_month TIMESTAMPTZ := date_trunc('month', now());
BEGIN
    IF p_months_ahead IS NULL OR p_months_ahead NOT BETWEEN 0 AND 120 THEN
        RAISE EXCEPTION 'create_monthly_partitions: cannot go % months ahead', COALESCE(p_months_ahead::TEXT, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'SELECT create_monthly_partitions(3)';
    END IF;

    RETURN ensure_range_partitions('messages', 'month', v_month, v_month + make_interval(months => p_months_ahead + 1));
END;
$$;

SELECT pin_search_path('create_monthly_partitions(INTEGER)');

-- Messages that have left the two years online, by the month. Same columns, same indexes, same foreign keys.
CREATE TABLE messages_archive (
    LIKE messages INCLUDING ALL,
    CONSTRAINT fk_messages_room FOREIGN KEY (room_id) REFERENCES chat_rooms (id),
    CONSTRAINT fk_messages_sender FOREIGN KEY (sender_id) REFERENCES users (id),
    CONSTRAINT fk_messages_reply_to FOREIGN KEY (reply_to_message_id) REFERENCES message_keys (id),
    CONSTRAINT fk_messages_robot_response_to FOREIGN KEY (robot_response_to) REFERENCES message_keys (id)
) PARTITION BY RANGE (created_at);

CREATE TRIGGER messages_archive_read_only_trigger
    BEFORE INSERT OR UPDATE OR DELETE ON messages_archive
    FOR EACH ROW
    EXECUTE FUNCTION reject_change('the archive is read only', 'whole months arrive by SELECT archive_old_messages() and leave by SELECT drop_archived_messages()');

CREATE TRIGGER messages_archive_no_truncate_trigger
    BEFORE TRUNCATE ON messages_archive
    FOR EACH STATEMENT
    EXECUTE FUNCTION reject_change('the archive is read only', 'whole months leave by SELECT drop_archived_messages()');

-- Moves the partitions of messages that ended before the month that was retention_months ago to messages_archive;
-- returns how many. No row is copied, nothing is lost: ids, replies, attachments and robot interactions stay.
-- Locks each moved partition in ACCESS EXCLUSIVE mode for a scan of it, then messages and messages_archive, for a change
-- of the catalog, until the transaction ends. While it waits for a lock, everybody behind it waits too: set
-- lock_timeout; without one it gives up after 5 s (55P03).
CREATE FUNCTION archive_old_messages(retention_months INTEGER DEFAULT 24)
RETURNS INTEGER
LANGUAGE plpgsql
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
AS $$
DECLARE
    v_lock_timeout TEXT := current_setting('lock_timeout');
    v_cutoff TIMESTAMPTZ;
    v_expired REGCLASS[];
    v_lower TIMESTAMPTZ[];
    v_upper TIMESTAMPTZ[];
BEGIN
    IF retention_months IS NULL OR retention_months < 1 THEN
        RAISE EXCEPTION 'archive_old_messages: cannot keep % months online', COALESCE(retention_months::TEXT, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'SELECT archive_old_messages(24)';
    END IF;
    v_cutoff := date_trunc('month', now() - make_interval(months => retention_months));

    PERFORM pg_advisory_xact_lock(hashtextextended('range_partitions:' || 'messages'::REGCLASS::OID, 0));

    IF v_lock_timeout = '0' THEN
        PERFORM set_config('lock_timeout', '5s', TRUE);
    END IF;

    SELECT COALESCE(array_agg(e.partition), '{}'), array_agg(e.lower_bound), array_agg(e.upper_bound)
    INTO v_expired, v_lower, v_upper
    FROM list_expired_partitions('messages', v_cutoff) AS e;

    -- A constraint that says what the bounds say: attaching the partition again needs no scan under the lock on both tables.
    FOR v_n IN 1..cardinality(v_expired) LOOP
        EXECUTE format(
            'ALTER TABLE %s ADD CONSTRAINT chk_archived_month CHECK (created_at >= %L AND created_at < %L)',
            v_expired[v_n], v_lower[v_n], v_upper[v_n]
        );
    END LOOP;

    FOR v_n IN 1..cardinality(v_expired) LOOP
        EXECUTE format('ALTER TABLE messages DETACH PARTITION %s', v_expired[v_n]);
        EXECUTE format(
            'ALTER TABLE messages_archive ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%L)',
            v_expired[v_n],
            CASE WHEN isfinite(v_lower[v_n]) THEN quote_literal(v_lower[v_n]) ELSE 'MINVALUE' END,
            v_upper[v_n]
        );
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT chk_archived_month', v_expired[v_n]);
        RAISE NOTICE 'Archived partition: %', v_expired[v_n];
    END LOOP;

    PERFORM set_config('lock_timeout', v_lock_timeout, TRUE);

    RETURN cardinality(v_expired);
END;
$$;

SELECT pin_search_path('archive_old_messages(INTEGER)');

-- Drops the partitions of messages_archive that ended before the month that was retention_months ago; returns how many.
-- Their keys, attachments and robot interactions go with purge_message_keys. Never CASCADE, never the DEFAULT partition.
-- Locks messages_archive, each dropped partition, chat_rooms, users and message_keys in ACCESS EXCLUSIVE mode, for a
-- change of the catalog, until the transaction ends. lock_timeout as for archive_old_messages.
CREATE FUNCTION drop_archived_messages(retention_months INTEGER DEFAULT 108)
RETURNS INTEGER
LANGUAGE plpgsql
SET TimeZone = 'UTC'
AS $$
DECLARE
    v_lock_timeout TEXT := current_setting('lock_timeout');
    v_expired RECORD;
    v_dropped INTEGER := 0;
BEGIN
    IF retention_months IS NULL OR retention_months < 84 THEN
        RAISE EXCEPTION 'drop_archived_messages: cannot keep % months: archived messages are kept for 7 years at least',
                COALESCE(retention_months::TEXT, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'SELECT drop_archived_messages(108)';
    END IF;

    PERFORM pg_advisory_xact_lock(hashtextextended('range_partitions:' || 'messages'::REGCLASS::OID, 0));

    IF v_lock_timeout = '0' THEN
        PERFORM set_config('lock_timeout', '5s', TRUE);
    END IF;

    FOR v_expired IN
        SELECT r.partition
        FROM list_range_partitions('messages_archive') AS r
        WHERE r.upper_bound <= date_trunc('month', now() - make_interval(months => retention_months))
    LOOP
        EXECUTE format('DROP TABLE %s', v_expired.partition);
        v_dropped := v_dropped + 1;
        RAISE NOTICE 'Dropped archived partition: %', v_expired.partition;
    END LOOP;

    PERFORM set_config('lock_timeout', v_lock_timeout, TRUE);

    RETURN v_dropped;
END;
$$;

SELECT pin_search_path('drop_archived_messages(INTEGER)');

-- Deletes at most p_limit keys of messages that are older than retention_months and in no partition any more, with the
-- attachments and robot interactions of those messages; what replied to one of them replies to nothing from then on.
-- Returns how many keys. Call it until it returns 0. Locks the rows that it deletes or changes.
CREATE FUNCTION purge_message_keys(retention_months INTEGER DEFAULT 108, p_limit INTEGER DEFAULT 10000)
RETURNS BIGINT
LANGUAGE plpgsql
SET TimeZone = 'UTC'
AS $$
DECLARE
    v_maintenance TEXT := COALESCE(current_setting('chat.maintenance', TRUE), '');
    v_ids UUID[];
BEGIN
    IF retention_months IS NULL OR retention_months < 84 OR p_limit IS NULL OR p_limit < 1 THEN
        RAISE EXCEPTION 'purge_message_keys: cannot keep % months, % keys at a time',
                COALESCE(retention_months::TEXT, 'NULL'), COALESCE(p_limit::TEXT, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'archived messages are kept for 7 years at least: SELECT purge_message_keys(108, 10000)';
    END IF;

    v_ids := ARRAY(
        SELECT k.id
        FROM message_keys AS k
        WHERE k.created_at < date_trunc('month', now() - make_interval(months => retention_months))
          AND NOT EXISTS (SELECT FROM messages AS m WHERE m.id = k.id AND m.created_at = k.created_at)
          AND NOT EXISTS (SELECT FROM messages_archive AS m WHERE m.id = k.id AND m.created_at = k.created_at)
        LIMIT p_limit
        FOR UPDATE OF k SKIP LOCKED
    );

    DELETE FROM chat_file_attachments AS a WHERE a.message_id = ANY (v_ids);
    DELETE FROM robot_interactions AS i WHERE i.message_id = ANY (v_ids);

    PERFORM set_config('chat.maintenance', 'on', TRUE);
    UPDATE messages AS m SET reply_to_message_id = NULL WHERE m.reply_to_message_id = ANY (v_ids);
    UPDATE messages AS m SET robot_response_to = NULL WHERE m.robot_response_to = ANY (v_ids);
    UPDATE messages_archive AS m SET reply_to_message_id = NULL WHERE m.reply_to_message_id = ANY (v_ids);
    UPDATE messages_archive AS m SET robot_response_to = NULL WHERE m.robot_response_to = ANY (v_ids);
    PERFORM set_config('chat.maintenance', v_maintenance, TRUE);

    DELETE FROM message_keys AS k WHERE k.id = ANY (v_ids);

    RETURN cardinality(v_ids);
END;
$$;

SELECT pin_search_path('purge_message_keys(INTEGER, INTEGER)');

-- Deletes at most p_limit rows of each of the seven history tables that are older than retention_months; returns how
-- many. Call it until it returns 0. Locks the rows that it deletes.
CREATE FUNCTION cleanup_history(retention_months INTEGER DEFAULT 120, p_limit INTEGER DEFAULT 10000)
RETURNS BIGINT
LANGUAGE plpgsql
AS $$
DECLARE
    v_maintenance TEXT := COALESCE(current_setting('chat.maintenance', TRUE), '');
    v_table TEXT;
    v_deleted BIGINT;
    v_total BIGINT := 0;
BEGIN
    IF retention_months IS NULL OR retention_months < 120 OR p_limit IS NULL OR p_limit < 1 THEN
        RAISE EXCEPTION 'cleanup_history: cannot keep % months, % rows at a time',
                COALESCE(retention_months::TEXT, 'NULL'), COALESCE(p_limit::TEXT, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'audit logs are kept for 10 years at least: SELECT cleanup_history(120, 10000)';
    END IF;

    PERFORM set_config('chat.maintenance', 'on', TRUE);
    FOREACH v_table IN ARRAY ARRAY[
        'users_history', 'chat_rooms_history', 'room_participants_history', 'messages_history',
        'chat_file_attachments_history', 'robot_interactions_history', 'escalations_history'
    ] LOOP
        EXECUTE format(
            $sql$
            DELETE FROM %I AS h
            WHERE h.ctid = ANY (ARRAY(
                SELECT o.ctid
                FROM %I AS o
                WHERE o.changed_at < now() - make_interval(months => $1)
                LIMIT $2
                FOR UPDATE SKIP LOCKED
            ))
            $sql$,
            v_table, v_table
        ) USING retention_months, p_limit;
        GET DIAGNOSTICS v_deleted = ROW_COUNT;
        v_total := v_total + v_deleted;
    END LOOP;
    PERFORM set_config('chat.maintenance', v_maintenance, TRUE);

    RETURN v_total;
END;
$$;

SELECT pin_search_path('cleanup_history(INTEGER, INTEGER)');

-- Takes the personal data out of a user's account and out of its history, closes it and ends its participations and
-- permissions; username and email are free again. Rows, ids and messages stay: the talk of others keeps its sense, its
-- sender is the erased account. Messages that hold personal data themselves are for the application to change.
-- SECURITY DEFINER, for chat_service: only here a row of history is ever changed. Locks the rows it changes.
CREATE FUNCTION erase_user_data(p_user_id UUID)
RETURNS VOID
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
DECLARE
    v_maintenance TEXT := COALESCE(current_setting('chat.maintenance', TRUE), '');
    v_name VARCHAR := 'erased-' || p_user_id::TEXT;
    v_email VARCHAR := 'erased-' || p_user_id::TEXT || '@erased.invalid';
BEGIN
    UPDATE users AS u
    SET username = v_name,
        first_name = '',
        last_name = '',
        email = v_email,
        password_hash = '',
        display_name = NULL,
        avatar_url = NULL,
        current_status = 'offline',
        last_seen_at = NULL,
        chat_preferences = '{}',
        current_account_status = 'closed',
        is_email_verified = FALSE,
        deleted_at = COALESCE(u.deleted_at, clock_timestamp())
    WHERE u.id = p_user_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'user % does not exist', COALESCE(p_user_id::TEXT, 'NULL')
            USING ERRCODE = 'no_data_found';
    END IF;

    UPDATE room_participants AS p
    SET status = 'left',
        left_at = COALESCE(p.left_at, clock_timestamp())
    WHERE p.user_id = p_user_id
      AND p.status IN ('active', 'muted');

    DELETE FROM user_access_permissions AS g WHERE g.user_id = p_user_id;

    PERFORM set_config('chat.maintenance', 'on', TRUE);
    UPDATE users_history AS h
    SET username = v_name,
        first_name = '',
        last_name = '',
        email = v_email,
        display_name = NULL,
        avatar_url = NULL,
        current_status = 'offline',
        last_seen_at = NULL,
        chat_preferences = '{}'
    WHERE h.id = p_user_id;
    PERFORM set_config('chat.maintenance', v_maintenance, TRUE);
END;
$$;

SELECT pin_search_path('erase_user_data(UUID)');
REVOKE EXECUTE ON FUNCTION erase_user_data(UUID) FROM PUBLIC;

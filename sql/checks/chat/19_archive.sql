-- check: archive_old_messages moves whole months by their bounds to an archive that is read only, and loses nothing: ids, replies, files.

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

-- The id of somebody or something in this check.
CREATE FUNCTION pg_temp.id(p_name TEXT)
RETURNS UUID
LANGUAGE sql
IMMUTABLE
AS $$ SELECT md5('chat check ' || p_name)::UUID $$;

INSERT INTO users (id, username, first_name, last_name, email, password_hash, account_type_informal)
SELECT pg_temp.id(n.name), 'check ' || n.name, n.name, 'Check', n.name || '@check.invalid', 'secret',
       CASE WHEN n.name = 'gil' THEN 'guest' ELSE 'member' END::user_account_type_informal_enum
FROM unnest(ARRAY['ann', 'ben', 'cat', 'dan', 'gil']) AS n (name);

INSERT INTO chat_rooms (id, creator_id) VALUES (pg_temp.id('room'), pg_temp.id('ann'));
SELECT create_monthly_partitions();

CREATE FUNCTION pg_temp.month(p_ago INT)
RETURNS TIMESTAMPTZ
LANGUAGE sql
AS $$ SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => p_ago)) AT TIME ZONE 'UTC' $$;

CREATE FUNCTION pg_temp.partition(p_name TEXT, p_from INT, p_to INT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I PARTITION OF messages FOR VALUES FROM (%L) TO (%L)', p_name, pg_temp.month(p_from), pg_temp.month(p_to));
END;
$$;

CREATE FUNCTION pg_temp.partitions(p_parent REGCLASS)
RETURNS TEXT
LANGUAGE sql
AS $$ SELECT string_agg(p.partition::TEXT, ', ' ORDER BY p.lower_bound NULLS LAST) FROM list_range_partitions(p_parent) AS p $$;

DO $$
DECLARE
    v_partition REGCLASS;
    v_found TEXT;
BEGIN
    PERFORM g.yes FROM inside_transaction AS g;

    -- Start without partitions: the names below then mean what they say.
    FOR v_partition IN
        SELECT i.inhrelid::REGCLASS FROM pg_catalog.pg_inherits AS i WHERE i.inhparent IN ('messages'::REGCLASS, 'messages_archive'::REGCLASS)
    LOOP
        EXECUTE format('DROP TABLE %s', v_partition);
    END LOOP;
    DELETE FROM chat_file_attachments;
    DELETE FROM robot_interactions;

    EXECUTE format('CREATE TABLE check_first PARTITION OF messages FOR VALUES FROM (MINVALUE) TO (%L)', pg_temp.month(40));
    PERFORM pg_temp.partition('messages_9999_12', 40, 26);
    PERFORM pg_temp.partition('check_month_25', 26, 25);
    PERFORM pg_temp.partition('check_month_24', 25, 24);
    PERFORM pg_temp.partition('check_month_23', 24, 23);
    PERFORM pg_temp.partition('messages_1999_01', 23, 0);
    PERFORM pg_temp.partition('check_this_month', 0, -1);
    CREATE TABLE check_default PARTITION OF messages DEFAULT;

    -- Names that a comparison of names takes for old partitions.
    CREATE TABLE IF NOT EXISTS messages_2020_01 (id BIGINT);
    CREATE TABLE IF NOT EXISTS messages_1_manual_copy (id BIGINT);

    INSERT INTO messages (id, room_id, sender_id, content, reply_to_message_id, created_at) VALUES
        (pg_temp.id('very old'), pg_temp.id('room'), pg_temp.id('ann'), 'very old', NULL, '1990-01-01 00:00:00+00'),
        (pg_temp.id('old'), pg_temp.id('room'), pg_temp.id('ann'), 'old', NULL, pg_temp.month(24) - INTERVAL '1 microsecond'),
        (pg_temp.id('kept'), pg_temp.id('room'), pg_temp.id('ann'), 'kept', pg_temp.id('old'), pg_temp.month(24)),
        (pg_temp.id('today'), pg_temp.id('room'), pg_temp.id('ann'), 'today', pg_temp.id('very old'), now());
    INSERT INTO chat_file_attachments (message_id, file_manager_file_id, original_filename, file_size, mime_type, owner_id)
    VALUES (pg_temp.id('old'), gen_random_uuid(), 'a.pdf', 1, 'application/pdf', pg_temp.id('ann'));

    IF archive_old_messages() <> 4 OR archive_old_messages(24) <> 0 THEN
        RAISE EXCEPTION 'check failed: archive_old_messages() does not move the four partitions that are two years old, once';
    END IF;
    v_found := pg_temp.partitions('messages_archive');
    IF v_found <> 'check_first, messages_9999_12, check_month_25, check_month_24' THEN
        RAISE EXCEPTION 'check failed: archived: %', v_found;
    END IF;
    v_found := pg_temp.partitions('messages');
    IF v_found <> 'check_month_23, messages_1999_01, check_this_month, check_default' THEN
        RAISE EXCEPTION 'check failed: online: %', v_found;
    END IF;

    SELECT string_agg(m.content, ', ' ORDER BY m.created_at) INTO v_found FROM messages_archive AS m;
    IF v_found <> 'very old, old' THEN
        RAISE EXCEPTION 'check failed: the archive holds %', v_found;
    END IF;
    SELECT string_agg(m.content, ', ' ORDER BY m.created_at) INTO v_found FROM messages AS m;
    IF v_found <> 'kept, today' THEN
        RAISE EXCEPTION 'check failed: messages holds %', v_found;
    END IF;
    IF (SELECT count(*) FROM messages AS m WHERE m.reply_to_message_id IS NOT NULL) <> 2
       OR NOT EXISTS (SELECT FROM chat_file_attachments AS a WHERE a.message_id = pg_temp.id('old'))
       OR (SELECT count(*) FROM message_keys AS k WHERE k.id IN (pg_temp.id('old'), pg_temp.id('very old'))) <> 2 THEN
        RAISE EXCEPTION 'check failed: archiving lost a reply, a file or a key';
    END IF;

    IF EXISTS (SELECT FROM pg_catalog.pg_constraint AS c WHERE c.conname = 'chk_archived_month') THEN
        RAISE EXCEPTION 'check failed: archive_old_messages leaves its constraint behind';
    END IF;
    SELECT string_agg(p.partition::TEXT, ', ') INTO v_found
    FROM list_range_partitions('messages_archive') AS p
    WHERE EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = p.partition AND t.tgfoid = 'track_message_key()'::REGPROCEDURE);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: triggers of messages are left on %', v_found;
    END IF;

    PERFORM pg_temp.must_fail('the id of an archived message', '23505', format(
        'INSERT INTO messages (id, room_id, sender_id, content) VALUES (%L, %L, %L, '''')', pg_temp.id('old'), pg_temp.id('room'), pg_temp.id('ann')), 'pk_messages');
    UPDATE messages SET reply_to_message_id = pg_temp.id('old') WHERE id = pg_temp.id('today');

    PERFORM pg_temp.must_fail(s.sql, '42501', s.sql)
    FROM unnest(ARRAY[
        'UPDATE messages_archive SET content = ''changed''', 'DELETE FROM messages_archive', 'DELETE FROM check_first', 'TRUNCATE messages_archive',
        format('INSERT INTO messages_archive (room_id, sender_id, content, created_at) VALUES (%L, %L, '''', ''1990-01-01'')', pg_temp.id('room'), pg_temp.id('ann'))
    ]) AS s (sql);

    -- A month that is archived is not made again.
    IF ensure_range_partitions('messages', 'month', pg_temp.month(26), pg_temp.month(22)) <> 0 THEN
        RAISE EXCEPTION 'check failed: ensure_range_partitions makes partitions for archived months';
    END IF;

    -- One month is the least; the month before this one stays.
    IF archive_old_messages(1) <> 1 OR to_regclass('messages_2020_01') IS NULL OR to_regclass('messages_1_manual_copy') IS NULL THEN
        RAISE EXCEPTION 'check failed: archive_old_messages(1)';
    END IF;
END;
$$;

SELECT pg_temp.must_fail(format('archive_old_messages(%s)', m.m), '22023', format('SELECT archive_old_messages(%s)', m.m))
FROM unnest(ARRAY['0', '-24', 'NULL']) AS m (m);

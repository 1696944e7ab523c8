-- check: after nine years a month leaves the archive, and with purge_message_keys its keys, files and robot interactions; nothing younger does.

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

CREATE FUNCTION pg_temp.expect(p_what TEXT, p_got TEXT, p_wanted TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    IF p_got IS DISTINCT FROM p_wanted THEN
        RAISE EXCEPTION 'check failed: % gives %, not %', p_what, COALESCE(p_got, 'NULL'), COALESCE(p_wanted, 'NULL');
    END IF;
END;
$$;

INSERT INTO users (id, username, first_name, last_name, email, password_hash, account_type_informal)
SELECT pg_temp.id(n.name), 'check ' || n.name, n.name, 'Check', n.name || '@check.invalid', 'secret',
       CASE WHEN n.name = 'gil' THEN 'guest' ELSE 'member' END::user_account_type_informal_enum
FROM unnest(ARRAY['ann', 'ben', 'cat', 'dan', 'gil']) AS n (name);

INSERT INTO chat_rooms (id, creator_id) VALUES (pg_temp.id('room'), pg_temp.id('ann'));
SELECT create_monthly_partitions();

DO $$
DECLARE
    v_purged BIGINT;
BEGIN
    PERFORM g.yes FROM inside_transaction AS g;
    PERFORM ensure_range_partitions('messages', 'month', m.at, m.at + INTERVAL '1 second')
    FROM (VALUES (TIMESTAMPTZ '1991-01-01 00:00:00+00'), ('1991-02-01 00:00:00+00'), (now() - INTERVAL '100 months'), (now() - INTERVAL '120 months')) AS m (at);

    INSERT INTO messages (id, room_id, sender_id, content, reply_to_message_id, robot_response_to, created_at)
    SELECT pg_temp.id(m.name), pg_temp.id('room'), pg_temp.id('ann'), m.name, pg_temp.id(m.reply_to), pg_temp.id(m.response_to), m.at
    FROM (VALUES
        (1, 'a', NULL, NULL, '1991-01-05 00:00:00+00'), (2, 'b', 'a', NULL, '1991-01-06 00:00:00+00'), (3, 'c', NULL, NULL, '1991-02-01 00:00:00+00'),
        (4, 'ten years', 'a', 'b', now() - INTERVAL '120 months'), (5, 'eight years', 'a', 'b', now() - INTERVAL '100 months'), (6, 'today', 'c', 'a', now())
    ) AS m (n, name, reply_to, response_to, at);
    INSERT INTO chat_file_attachments (message_id, file_manager_file_id, original_filename, file_size, mime_type, owner_id)
    SELECT pg_temp.id(m.name), gen_random_uuid(), m.name, 1, 'text/plain', pg_temp.id('ann') FROM unnest(ARRAY['a', 'eight years', 'today']) AS m (name);
    INSERT INTO robot_interactions (message_id, robot_id, request_data)
    SELECT pg_temp.id(m.name), m.name, '{}' FROM unnest(ARRAY['b', 'eight years', 'today']) AS m (name);

    PERFORM archive_old_messages();
    v_purged := purge_message_keys(108, 1000000);
    IF (SELECT count(*) FROM message_keys AS k WHERE k.id IN (pg_temp.id('a'), pg_temp.id('b'), pg_temp.id('c'))) <> 3 THEN
        RAISE EXCEPTION 'check failed: purge_message_keys takes the keys of messages that are archived';
    END IF;

    PERFORM drop_archived_messages();
    PERFORM pg_temp.expect('the archive after nine years', string_agg(m.content, ', ' ORDER BY m.created_at), 'eight years')
    FROM messages_archive AS m WHERE m.room_id = pg_temp.id('room');
    IF drop_archived_messages(108) <> 0 THEN
        RAISE EXCEPTION 'check failed: drop_archived_messages(108) is not the default';
    END IF;

    IF purge_message_keys(108, 2) <> 2 OR purge_message_keys(108, 1) <> 1 OR purge_message_keys() < 1 OR purge_message_keys() <> 0 THEN
        RAISE EXCEPTION 'check failed: purge_message_keys does not go in batches to the end';
    END IF;
    PERFORM pg_temp.expect('the keys that are left', string_agg(n.name, ', ' ORDER BY n.name), 'eight years, today')
    FROM unnest(ARRAY['a', 'b', 'c', 'ten years', 'eight years', 'today']) AS n (name)
    JOIN message_keys AS k ON k.id = pg_temp.id(n.name);
    PERFORM pg_temp.expect('the files that are left', string_agg(a.original_filename, ', ' ORDER BY a.original_filename), 'eight years, today')
    FROM chat_file_attachments AS a WHERE a.owner_id = pg_temp.id('ann');
    PERFORM pg_temp.expect('the robot interactions that are left', string_agg(i.robot_id, ', ' ORDER BY i.robot_id), 'eight years, today')
    FROM robot_interactions AS i WHERE i.message_id IN (pg_temp.id('b'), pg_temp.id('eight years'), pg_temp.id('today'));
    PERFORM pg_temp.expect('what replied to a purged message', string_agg(format('%s %s %s', m.content, m.reply_to_message_id, m.robot_response_to), ', ' ORDER BY m.content), 'eight years  , today  ')
    FROM (SELECT o.* FROM messages AS o UNION ALL SELECT o.* FROM messages_archive AS o) AS m
    WHERE m.room_id = pg_temp.id('room');

    -- The archive is read only again.
    PERFORM pg_temp.must_fail('an UPDATE of the archive after a purge', '42501',
        format('UPDATE messages_archive SET content = '''' WHERE id = %L', pg_temp.id('eight years')));

    -- Seven years are the least.
    PERFORM drop_archived_messages(84);
    IF EXISTS (SELECT FROM messages_archive AS m WHERE m.id = pg_temp.id('eight years')) THEN
        RAISE EXCEPTION 'check failed: drop_archived_messages(84) keeps eight years';
    END IF;
END;
$$;

SELECT pg_temp.must_fail(s.sql, '22023', s.sql)
FROM unnest(ARRAY['SELECT drop_archived_messages(83)', 'SELECT drop_archived_messages(NULL)', 'SELECT purge_message_keys(83)', 'SELECT purge_message_keys(108, 0)',
                  'SELECT purge_message_keys(NULL)', 'SELECT purge_message_keys(108, NULL)']) AS s (sql);

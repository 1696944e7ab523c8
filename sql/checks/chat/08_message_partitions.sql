-- check: a message lands in the partition of its month at UTC, up to the last microsecond; a time without a partition is refused.

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

-- One message at the first and one at the last microsecond of every partition that exists.
INSERT INTO messages (room_id, sender_id, content, created_at)
SELECT pg_temp.id('room'), pg_temp.id('ann'), p.partition::TEXT, t.at
FROM list_range_partitions('messages') AS p
CROSS JOIN LATERAL (VALUES (p.lower_bound), (p.upper_bound - INTERVAL '1 microsecond')) AS t (at)
WHERE isfinite(p.lower_bound)
  AND isfinite(p.upper_bound);

DO $$
DECLARE
    v_message messages;
BEGIN
    IF EXISTS (SELECT FROM messages AS m WHERE m.room_id = pg_temp.id('room') AND m.tableoid::REGCLASS::TEXT <> m.content) THEN
        RAISE EXCEPTION 'check failed: a message is not in the partition of its time';
    END IF;
    IF (SELECT count(DISTINCT m.tableoid) FROM messages AS m WHERE m.room_id = pg_temp.id('room')) < 4 THEN
        RAISE EXCEPTION 'check failed: there are not four partitions from this month on';
    END IF;

    INSERT INTO messages (room_id, sender_id, content) VALUES (pg_temp.id('room'), pg_temp.id('ann'), 'hello') RETURNING * INTO v_message;
    IF v_message.id IS NULL
       OR (v_message.message_type::TEXT, v_message.delivery_status::TEXT, v_message.content_metadata, v_message.is_robot_visible_to_guests)
          IS DISTINCT FROM ('chat', 'streaming', '{}'::JSONB, FALSE)
       OR v_message.created_at <> now() OR v_message.updated_at <> now() THEN
        RAISE EXCEPTION 'check failed: the defaults of messages give %', v_message;
    END IF;
END;
$$;

SELECT pg_temp.must_fail('a message of the year 1900', '23514',
    format('INSERT INTO messages (room_id, sender_id, content, created_at) VALUES (%L, %L, '''', ''1900-01-01 00:00:00+00'')', pg_temp.id('room'), pg_temp.id('ann')))
WHERE NOT EXISTS (SELECT FROM list_range_partitions('messages') AS p WHERE p.lower_bound IS NULL OR p.lower_bound < '1900-01-01 00:00:00+00');

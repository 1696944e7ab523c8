-- check: a message id is there once over all months; its key follows the message when it moves, and is free when it is deleted.

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

CREATE FUNCTION pg_temp.insert(p_id TEXT, p_at TIMESTAMPTZ, p_more TEXT DEFAULT '')
RETURNS TEXT
LANGUAGE sql
AS $$
    SELECT format('INSERT INTO messages (id, room_id, sender_id, content, created_at) VALUES (%L, %L, %L, ''text'', %L) %s',
                  pg_temp.id(p_id), pg_temp.id('room'), pg_temp.id('ann'), p_at, p_more)
$$;

CREATE FUNCTION pg_temp.key(p_id TEXT)
RETURNS TEXT
LANGUAGE sql
STABLE
AS $$
    SELECT CASE WHEN k.created_at = m.created_at THEN 'as its message' WHEN m.id IS NULL THEN 'alone' ELSE 'astray' END
    FROM message_keys AS k
    LEFT JOIN messages AS m ON m.id = k.id
    WHERE k.id = pg_temp.id(p_id)
$$;

DO $$
DECLARE
    v_now TIMESTAMPTZ := date_trunc('month', now(), 'UTC');
    v_next TIMESTAMPTZ := date_trunc('month', now(), 'UTC') + INTERVAL '40 days';
BEGIN
    EXECUTE pg_temp.insert('a', v_now);
    EXECUTE pg_temp.insert('b', v_now);
    PERFORM pg_temp.expect('the key of a new message', pg_temp.key('a'), 'as its message');

    PERFORM pg_temp.must_fail('the same id in the same moment', '23505', pg_temp.insert('a', v_now));
    PERFORM pg_temp.must_fail('the same id later in the month', '23505', pg_temp.insert('a', v_now + INTERVAL '1 microsecond'), 'pk_messages');
    PERFORM pg_temp.must_fail('the same id in another month', '23505', pg_temp.insert('a', v_next), 'pk_messages');

    -- A row that is there is skipped, as ever.
    EXECUTE pg_temp.insert('a', v_now, 'ON CONFLICT DO NOTHING');
    EXECUTE pg_temp.insert('a', v_now, 'ON CONFLICT (id, created_at) DO UPDATE SET content = ''changed''');
    IF (SELECT m.content FROM messages AS m WHERE m.id = pg_temp.id('a')) <> 'changed' THEN
        RAISE EXCEPTION 'check failed: ON CONFLICT DO UPDATE does not find the message';
    END IF;

    UPDATE messages SET created_at = v_now + INTERVAL '1 hour' WHERE id = pg_temp.id('a');
    PERFORM pg_temp.expect('the key of a message moved in its month', pg_temp.key('a'), 'as its message');
    UPDATE messages SET created_at = v_next WHERE id = pg_temp.id('a');
    PERFORM pg_temp.expect('the key of a message moved to another month', pg_temp.key('a'), 'as its message');
    PERFORM pg_temp.must_fail('the id of a moved message', '23505', pg_temp.insert('a', v_now), 'pk_messages');
    PERFORM pg_temp.must_fail('taking the id of another message', '23505',
        format('UPDATE messages SET id = %L WHERE id = %L', pg_temp.id('a'), pg_temp.id('b')));
    UPDATE messages SET id = pg_temp.id('c') WHERE id = pg_temp.id('a');
    PERFORM pg_temp.expect('the key of a message with a new id', pg_temp.key('c'), 'as its message');
    PERFORM pg_temp.expect('the key of an id given up', pg_temp.key('a'), NULL);
    EXECUTE pg_temp.insert('a', v_now);

    DELETE FROM messages WHERE id = pg_temp.id('a');
    PERFORM pg_temp.expect('the key of a deleted message', pg_temp.key('a'), NULL);
    PERFORM pg_temp.expect('the key of the message beside it', pg_temp.key('c'), 'as its message');
    EXECUTE pg_temp.insert('a', v_next);
END;
$$;

-- Every message has its key, of whatever age.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM messages AS m
        WHERE NOT EXISTS (SELECT FROM message_keys AS k WHERE k.id = m.id AND k.created_at = m.created_at)
    ) THEN
        RAISE EXCEPTION 'check failed: a message has no key';
    END IF;
END;
$$;

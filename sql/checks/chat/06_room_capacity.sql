-- check: a room takes max_participants and no more: active and muted count, those who have left do not; NULL is no limit.

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

INSERT INTO chat_rooms (id, creator_id, max_participants)
VALUES (pg_temp.id('two'), pg_temp.id('ann'), 2), (pg_temp.id('any'), pg_temp.id('ann'), NULL), (pg_temp.id('one'), pg_temp.id('ann'), 1);

INSERT INTO room_participants (room_id, user_id, status) VALUES
    (pg_temp.id('two'), pg_temp.id('ann'), 'active'), (pg_temp.id('two'), pg_temp.id('ben'), 'muted');

SELECT pg_temp.must_fail('a third participant of two', '23514',
    format('INSERT INTO room_participants (room_id, user_id) VALUES (%L, %L)', pg_temp.id('two'), pg_temp.id('cat')), 'room_capacity');
SELECT pg_temp.must_fail('two participants of one at once', '23514',
    format('INSERT INTO room_participants (room_id, user_id) VALUES (%1$L, %2$L), (%1$L, %3$L)', pg_temp.id('one'), pg_temp.id('ann'), pg_temp.id('ben')),
    'room_capacity');

-- Who is not in takes no place, but may not come in later either.
INSERT INTO room_participants (room_id, user_id, status, deleted_at) VALUES
    (pg_temp.id('two'), pg_temp.id('cat'), 'left', NULL), (pg_temp.id('two'), pg_temp.id('dan'), 'active', now());
SELECT pg_temp.must_fail('coming back to a full room', '23514',
    format('UPDATE room_participants SET status = ''active'' WHERE room_id = %L AND user_id = %L', pg_temp.id('two'), pg_temp.id('cat')), 'room_capacity');
SELECT pg_temp.must_fail('restoring a participant of a full room', '23514',
    format('UPDATE room_participants SET deleted_at = NULL WHERE room_id = %L AND user_id = %L', pg_temp.id('two'), pg_temp.id('dan')), 'room_capacity');

-- A place that somebody leaves is free.
UPDATE room_participants SET status = 'left' WHERE room_id = pg_temp.id('two') AND user_id = pg_temp.id('ben');
UPDATE room_participants SET status = 'active' WHERE room_id = pg_temp.id('two') AND user_id = pg_temp.id('cat');

-- A lower limit puts nobody out, and what changes nothing about being in is free.
UPDATE chat_rooms SET max_participants = 1 WHERE id = pg_temp.id('two');
UPDATE room_participants SET status = 'muted' WHERE room_id = pg_temp.id('two') AND user_id = pg_temp.id('cat');
UPDATE room_participants SET role = 'moderator', last_read_at = now() WHERE room_id = pg_temp.id('two') AND user_id = pg_temp.id('cat');
SELECT pg_temp.must_fail('a place above a lowered limit', '23514',
    format('UPDATE room_participants SET status = ''active'' WHERE room_id = %L AND user_id = %L', pg_temp.id('two'), pg_temp.id('ben')), 'room_capacity');

INSERT INTO room_participants (room_id, user_id)
SELECT pg_temp.id('any'), u.id FROM users AS u WHERE u.username LIKE 'check %';

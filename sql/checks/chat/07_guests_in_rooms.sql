-- check: a room without guest access admits no guest: neither the role nor an account of that type.

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

INSERT INTO chat_rooms (id, creator_id, guest_access_allowed)
VALUES (pg_temp.id('closed'), pg_temp.id('ann'), FALSE), (pg_temp.id('open'), pg_temp.id('ann'), TRUE);

INSERT INTO room_participants (room_id, user_id, role) VALUES
    (pg_temp.id('open'), pg_temp.id('gil'), 'member'), (pg_temp.id('open'), pg_temp.id('ben'), 'guest'),
    (pg_temp.id('closed'), pg_temp.id('ann'), 'member');
INSERT INTO room_participants (room_id, user_id, status) VALUES (pg_temp.id('closed'), pg_temp.id('gil'), 'left');

SELECT pg_temp.must_fail('a participant with the role guest', '23514',
    format('INSERT INTO room_participants (room_id, user_id, role) VALUES (%L, %L, ''guest'')', pg_temp.id('closed'), pg_temp.id('ben')), 'room_guest_access');
SELECT pg_temp.must_fail('a guest account coming back', '23514',
    format('UPDATE room_participants SET status = ''active'' WHERE room_id = %L AND user_id = %L', pg_temp.id('closed'), pg_temp.id('gil')), 'room_guest_access');
SELECT pg_temp.must_fail('a participant made a guest', '23514',
    format('UPDATE room_participants SET role = ''guest'' WHERE room_id = %L AND user_id = %L', pg_temp.id('closed'), pg_temp.id('ann')), 'room_guest_access');
SELECT pg_temp.must_fail('a guest moved into the room', '23514',
    format('UPDATE room_participants SET room_id = %L WHERE room_id = %L AND user_id = %L', pg_temp.id('closed'), pg_temp.id('open'), pg_temp.id('ben')),
    'room_guest_access');

INSERT INTO room_participants (room_id, user_id) VALUES (pg_temp.id('closed'), pg_temp.id('cat'));

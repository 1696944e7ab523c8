-- check: erase_user_data takes every personal datum out of an account and its history, frees its names, and leaves messages and ids.

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

UPDATE users
SET display_name = 'secret', avatar_url = 'secret', chat_preferences = '{"secret": 1}', last_seen_at = now(), first_name = 'secret', last_name = 'secret',
    current_status = 'secret'
WHERE id IN (pg_temp.id('ben'), pg_temp.id('cat'));
UPDATE users SET username = 'check secret ' || username, email = 'secret' || email WHERE id = pg_temp.id('ben');
INSERT INTO room_participants (room_id, user_id) VALUES (pg_temp.id('room'), pg_temp.id('ben')), (pg_temp.id('room'), pg_temp.id('cat'));
INSERT INTO user_access_permissions (user_id, permission_prefix, action) VALUES (pg_temp.id('ben'), 'chat:room', '*'), (pg_temp.id('cat'), 'chat:room', '*');
INSERT INTO messages (id, room_id, sender_id, content) VALUES (pg_temp.id('message'), pg_temp.id('room'), pg_temp.id('ben'), 'hello');

SELECT erase_user_data(pg_temp.id('ben'));

DO $$
DECLARE
    v_user users;
BEGIN
    IF EXISTS (SELECT FROM users AS u WHERE u.id = pg_temp.id('ben') AND to_jsonb(u)::TEXT ~ 'secret|check ben|ben@')
       OR EXISTS (SELECT FROM users_history AS h WHERE h.id = pg_temp.id('ben') AND (to_jsonb(h) - 'changed_by_role')::TEXT ~ 'secret|check ben|ben@') THEN
        RAISE EXCEPTION 'check failed: personal data are left';
    END IF;
    IF (SELECT count(*) FROM users_history AS h WHERE h.id = pg_temp.id('ben')) < 3 THEN
        RAISE EXCEPTION 'check failed: rows of history are gone';
    END IF;

    SELECT u.* INTO STRICT v_user FROM users AS u WHERE u.id = pg_temp.id('ben');
    IF v_user.deleted_at IS NULL OR v_user.current_account_status <> 'closed' THEN
        RAISE EXCEPTION 'check failed: the account is not closed: %', v_user;
    END IF;
    IF NOT EXISTS (SELECT FROM messages AS m WHERE m.sender_id = pg_temp.id('ben') AND m.content = 'hello') THEN
        RAISE EXCEPTION 'check failed: a message is gone';
    END IF;
    IF (SELECT p.status FROM room_participants AS p WHERE p.user_id = pg_temp.id('ben')) <> 'left'
       OR EXISTS (SELECT FROM user_access_permissions AS g WHERE g.user_id = pg_temp.id('ben')) THEN
        RAISE EXCEPTION 'check failed: an erased user is in a room or holds permissions';
    END IF;

    -- Nobody else is touched.
    IF (SELECT u.display_name FROM users AS u WHERE u.id = pg_temp.id('cat')) <> 'secret'
       OR NOT EXISTS (SELECT FROM users_history AS h WHERE h.id = pg_temp.id('cat') AND h.username = 'check cat')
       OR (SELECT p.status FROM room_participants AS p WHERE p.user_id = pg_temp.id('cat')) <> 'active'
       OR NOT EXISTS (SELECT FROM user_access_permissions AS g WHERE g.user_id = pg_temp.id('cat')) THEN
        RAISE EXCEPTION 'check failed: erase_user_data touched somebody else';
    END IF;
END;
$$;

INSERT INTO users (username, first_name, last_name, email, password_hash) VALUES ('check ben', '', '', 'ben@check.invalid', '');
SELECT erase_user_data(pg_temp.id('ben'));
SELECT pg_temp.must_fail('erasing nobody', 'P0002', 'SELECT erase_user_data(gen_random_uuid())');
SELECT pg_temp.must_fail('erasing NULL', 'P0002', 'SELECT erase_user_data(NULL)');
SELECT pg_temp.must_fail('changing history afterwards', '42501', 'UPDATE users_history SET username = ''x''');

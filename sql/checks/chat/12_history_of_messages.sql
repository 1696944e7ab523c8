-- check: every change of a message leaves what it was, whole, with who changed it; a change that changes nothing leaves nothing.

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

INSERT INTO messages (id, room_id, sender_id, message_type, content, content_metadata, robot_id, robot_response_to, is_robot_visible_to_guests,
                      delivery_status, reply_to_message_id, thread_id, created_at, updated_at, deleted_at)
VALUES (pg_temp.id('first'), pg_temp.id('room'), pg_temp.id('ann'), 'chat', 'first', '{}', NULL, NULL, NULL, 'delivered', NULL, NULL, now(), now(), NULL),
       (pg_temp.id('full'), pg_temp.id('room'), pg_temp.id('ben'), 'graph', 'full', '{"a": [1]}', 'robot', pg_temp.id('first'), TRUE, 'batch-delay',
        pg_temp.id('first'), pg_temp.id('thread'), now(), now() - INTERVAL '1 hour', now());

DO $$
DECLARE
    v_before messages;
    v_history messages_history;
    v_difference TEXT;
BEGIN
    SELECT m.* INTO STRICT v_before FROM messages AS m WHERE m.id = pg_temp.id('full');

    PERFORM set_config('app.current_user_id', pg_temp.id('cat')::TEXT, TRUE);
    UPDATE messages SET content = 'changed' WHERE id = pg_temp.id('full');

    SELECT h.* INTO STRICT v_history FROM messages_history AS h WHERE h.id = pg_temp.id('full');
    IF (v_history.operation_type, v_history.changed_by, v_history.changed_by_role) IS DISTINCT FROM ('UPDATE', pg_temp.id('cat'), session_user::NAME)
       OR v_history.history_id IS NULL OR v_history.changed_at < now() THEN
        RAISE EXCEPTION 'check failed: an UPDATE leaves %', v_history;
    END IF;
    SELECT string_agg(o.key, ', ') INTO v_difference
    FROM jsonb_each(to_jsonb(v_before)) AS o
    WHERE NOT to_jsonb(v_history) ? o.key OR to_jsonb(v_history) -> o.key IS DISTINCT FROM o.value;
    IF v_difference IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: the history of a message differs in %', v_difference;
    END IF;

    -- Nobody is named: neither before the first SET LOCAL of a session, nor after.
    PERFORM set_config('app.current_user_id', '', TRUE);
    UPDATE messages SET content = 'changed' WHERE id = pg_temp.id('full');
    PERFORM pg_temp.expect('rows of history after a change of nothing', count(*)::TEXT, '1') FROM messages_history AS h WHERE h.id = pg_temp.id('full');
    DELETE FROM messages WHERE id = pg_temp.id('full');
    PERFORM pg_temp.expect('what a DELETE leaves', string_agg(format('%s %s %s', h.operation_type, h.content, h.changed_by), ', '), 'DELETE changed ')
    FROM messages_history AS h
    WHERE h.id = pg_temp.id('full') AND h.operation_type = 'DELETE';

    IF EXISTS (SELECT FROM messages_history AS h WHERE h.id = pg_temp.id('first')) THEN
        RAISE EXCEPTION 'check failed: an INSERT leaves history';
    END IF;
END;
$$;

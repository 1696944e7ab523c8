-- check: a room starts as an open group for 50, belongs to a user that exists, and is not its own parent.

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

DO $$
DECLARE
    v_room chat_rooms;
    v_participant room_participants;
BEGIN
    INSERT INTO chat_rooms (id, creator_id) VALUES (pg_temp.id('room'), pg_temp.id('ann')) RETURNING * INTO v_room;
    IF (v_room.room_type::TEXT, v_room.status::TEXT, v_room.is_private, v_room.guest_access_allowed, v_room.max_participants, v_room.escalation_level, v_room.room_settings)
       IS DISTINCT FROM ('group', 'active', FALSE, TRUE, 50, 1, '{}'::JSONB)
       OR v_room.created_at <> now() OR v_room.deleted_at IS NOT NULL OR v_room.concluded_at IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: the defaults of chat_rooms give %', v_room;
    END IF;

    INSERT INTO room_participants (room_id, user_id) VALUES (v_room.id, pg_temp.id('ann')) RETURNING * INTO v_participant;
    IF (v_participant.role::TEXT, v_participant.status::TEXT, v_participant.can_send_messages, v_participant.can_invite_others, v_participant.can_see_history)
       IS DISTINCT FROM ('member', 'active', TRUE, FALSE, TRUE)
       OR v_participant.joined_at <> now() OR v_participant.last_read_at IS NOT NULL OR v_participant.left_at IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: the defaults of room_participants give %', v_participant;
    END IF;
END;
$$;

SELECT pg_temp.must_fail(format('a room with %s', c.change), c.sqlstate,
    format('UPDATE chat_rooms SET %s WHERE id = %L', c.change, pg_temp.id('room')), c.violated)
FROM (VALUES
    ('max_participants = 0', '23514', 'chk_chat_rooms_max_participants'),
    ('escalation_level = 0', '23514', 'chk_chat_rooms_escalation_level'),
    ('parent_room_id = id', '23514', 'chk_chat_rooms_parent_is_another'),
    ('parent_room_id = gen_random_uuid()', '23503', 'fk_chat_rooms_parent'),
    ('creator_id = gen_random_uuid()', '23503', 'fk_chat_rooms_creator'),
    ('concluded_by_user_id = gen_random_uuid()', '23503', 'fk_chat_rooms_concluded_by')
) AS c (change, sqlstate, violated);

SELECT pg_temp.must_fail('a participant twice', '23505',
    format('INSERT INTO room_participants (room_id, user_id) VALUES (%L, %L)', pg_temp.id('room'), pg_temp.id('ann')), 'pk_room_participants');
SELECT pg_temp.must_fail('a participant of no room', '23503',
    format('INSERT INTO room_participants (room_id, user_id) VALUES (gen_random_uuid(), %L)', pg_temp.id('ann')));
SELECT pg_temp.must_fail('nobody as participant', '23503',
    format('INSERT INTO room_participants (room_id, user_id) VALUES (%L, gen_random_uuid())', pg_temp.id('room')), 'fk_room_participants_user');
SELECT pg_temp.must_fail('a user with rooms, deleted', '23503', format('DELETE FROM users WHERE id = %L', pg_temp.id('ann')));

-- check: files have a size, escalations a priority from 1 to 5, both and robot interactions the documented defaults.

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

INSERT INTO messages (id, room_id, sender_id, content) VALUES (pg_temp.id('message'), pg_temp.id('room'), pg_temp.id('ann'), '');

DO $$
DECLARE
    v_file chat_file_attachments;
    v_interaction robot_interactions;
    v_escalation escalations;
BEGIN
    INSERT INTO chat_file_attachments (message_id, file_manager_file_id, original_filename, file_size, mime_type, owner_id)
    VALUES (pg_temp.id('message'), gen_random_uuid(), 'empty.txt', 0, 'text/plain', pg_temp.id('ann')) RETURNING * INTO v_file;
    IF v_file.id IS NULL OR v_file.preview_available OR v_file.created_at <> now() OR v_file.deleted_at IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: the defaults of chat_file_attachments give %', v_file;
    END IF;

    INSERT INTO robot_interactions (message_id, robot_id, request_data) VALUES (pg_temp.id('message'), 'robot', '{"q": 1}') RETURNING * INTO v_interaction;
    IF v_interaction.id IS NULL OR v_interaction.status <> 'pending' OR v_interaction.started_at <> now() OR v_interaction.completed_at IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: the defaults of robot_interactions give %', v_interaction;
    END IF;

    INSERT INTO escalations (id, source_room_id, escalation_reason, from_level, to_level, created_by_user_id)
    VALUES (pg_temp.id('escalation'), pg_temp.id('room'), 'check', 'T1', 'manager', pg_temp.id('ann')) RETURNING * INTO v_escalation;
    IF v_escalation.priority <> 3 OR v_escalation.status <> 'created' OR v_escalation.resolved_at IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: the defaults of escalations give %', v_escalation;
    END IF;
    UPDATE escalations SET priority = p.p FROM generate_series(1, 5) AS p (p) WHERE id = pg_temp.id('escalation');
END;
$$;

SELECT pg_temp.must_fail('a file of -1 bytes', '23514', 'UPDATE chat_file_attachments SET file_size = -1', 'chk_chat_file_attachments_file_size');
SELECT pg_temp.must_fail(format('the priority %s', p.p), '23514',
    format('UPDATE escalations SET priority = %s WHERE id = %L', p.p, pg_temp.id('escalation')), 'chk_escalations_priority')
FROM unnest(ARRAY[0, 6, -1]) AS p (p);
SELECT pg_temp.must_fail(format('an escalation with an unknown %s', c.name), '23503',
    format('UPDATE escalations SET %I = gen_random_uuid() WHERE id = %L', c.name, pg_temp.id('escalation')))
FROM unnest(ARRAY['source_room_id', 'target_room_id', 'created_by_user_id', 'assigned_to_user_id']) AS c (name);

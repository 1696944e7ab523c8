-- check: every one of the seven core tables keeps its history, with all of its columns but the password hash.

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
    v_table TEXT;
    v_found TEXT;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['users', 'chat_rooms', 'room_participants', 'messages', 'chat_file_attachments', 'robot_interactions', 'escalations'] LOOP
        SELECT string_agg(a.attname, ', ') INTO v_found
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = v_table::REGCLASS
          AND a.attnum > 0
          AND NOT a.attisdropped
          AND (v_table, a.attname) <> ('users', 'password_hash')
          AND NOT EXISTS (
              SELECT
              FROM pg_catalog.pg_attribute AS h
              WHERE h.attrelid = (v_table || '_history')::REGCLASS
                AND h.attname = a.attname
                AND (h.atttypid, h.atttypmod) = (a.atttypid, a.atttypmod)
          );
        IF v_found IS NOT NULL THEN
            RAISE EXCEPTION 'check failed: %_history has no %', v_table, v_found;
        END IF;
    END LOOP;

    IF EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = 'users_history'::REGCLASS AND a.attname ~ 'password') THEN
        RAISE EXCEPTION 'check failed: users_history keeps password hashes';
    END IF;
END;
$$;

INSERT INTO room_participants (room_id, user_id) VALUES (pg_temp.id('room'), pg_temp.id('ben'));
INSERT INTO messages (id, room_id, sender_id, content) VALUES (pg_temp.id('message'), pg_temp.id('room'), pg_temp.id('ann'), '');
INSERT INTO chat_file_attachments (id, message_id, file_manager_file_id, original_filename, file_size, mime_type, owner_id)
VALUES (pg_temp.id('file'), pg_temp.id('message'), gen_random_uuid(), 'a.pdf', 1, 'application/pdf', pg_temp.id('ann'));
INSERT INTO robot_interactions (id, message_id, robot_id, request_data) VALUES (pg_temp.id('interaction'), pg_temp.id('message'), 'robot', '{}');
INSERT INTO escalations (id, source_room_id, escalation_reason, from_level, to_level, created_by_user_id)
VALUES (pg_temp.id('escalation'), pg_temp.id('room'), 'check', 'T1', 'T2', pg_temp.id('ann'));

-- Change and delete one row of each, and compare what is left of it with what it was.
DO $$
DECLARE
    v_step RECORD;
    v_before JSONB;
    v_between JSONB;
    v_history TEXT;
BEGIN
    PERFORM set_config('app.current_user_id', pg_temp.id('cat')::TEXT, TRUE);
    FOR v_step IN
        SELECT s.relation, s.change, s.which
        FROM (VALUES
            (1, 'robot_interactions', 'status = ''completed'', response_data = ''{"a": 1}''', format('id = %L', pg_temp.id('interaction'))),
            (2, 'chat_file_attachments', 'thumbnail_url = ''t''', format('id = %L', pg_temp.id('file'))),
            (3, 'messages', 'content = ''b''', format('id = %L', pg_temp.id('message'))),
            (4, 'escalations', 'status = ''resolved'', resolved_at = now()', format('id = %L', pg_temp.id('escalation'))),
            (5, 'room_participants', 'last_read_at = now()', format('room_id = %L', pg_temp.id('room'))),
            (6, 'chat_rooms', 'name = ''b'', conclusion_summary = ''c''', format('id = %L', pg_temp.id('room'))),
            (7, 'users', 'password_hash = ''b''', format('id = %L', pg_temp.id('dan')))
        ) AS s (n, relation, change, which)
        ORDER BY s.n
    LOOP
        EXECUTE format('SELECT to_jsonb(t) - ''password_hash'' FROM %I AS t WHERE %s', v_step.relation, v_step.which) INTO STRICT v_before;
        EXECUTE format('UPDATE %I SET %s WHERE %s', v_step.relation, v_step.change, v_step.which);
        EXECUTE format('SELECT to_jsonb(t) - ''password_hash'' FROM %I AS t WHERE %s', v_step.relation, v_step.which) INTO STRICT v_between;
        EXECUTE format('DELETE FROM %I WHERE %s', v_step.relation, v_step.which);
        EXECUTE format(
            $sql$
            SELECT string_agg(format('%%s %%s', h.operation_type,
                CASE h.changed_by WHEN %L THEN CASE h.operation_type WHEN 'UPDATE' THEN to_jsonb(h) @> $1 ELSE to_jsonb(h) @> $2 END END), ', ' ORDER BY h.changed_at)
            FROM %I AS h
            WHERE %s
            $sql$,
            pg_temp.id('cat'), v_step.relation || '_history', v_step.which
        ) INTO v_history USING v_before, v_between;
        PERFORM pg_temp.expect('the history of ' || v_step.relation, v_history, 'UPDATE t, DELETE t');
    END LOOP;
END;
$$;

-- check: updated_at follows every change of a row, also two in one transaction, and a change of nothing leaves it alone.

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

INSERT INTO room_participants (room_id, user_id) VALUES (pg_temp.id('room'), pg_temp.id('ann'));
INSERT INTO messages (id, room_id, sender_id, content) VALUES (pg_temp.id('message'), pg_temp.id('room'), pg_temp.id('ann'), 'a');
INSERT INTO chat_file_attachments (id, message_id, file_manager_file_id, original_filename, file_size, mime_type, owner_id)
VALUES (pg_temp.id('file'), pg_temp.id('message'), gen_random_uuid(), 'a.pdf', 1, 'application/pdf', pg_temp.id('ann'));
INSERT INTO robot_interactions (id, message_id, robot_id, request_data) VALUES (pg_temp.id('interaction'), pg_temp.id('message'), 'robot', '{}');
INSERT INTO escalations (id, source_room_id, escalation_reason, from_level, to_level, created_by_user_id)
VALUES (pg_temp.id('escalation'), pg_temp.id('room'), 'check', 'T1', 'T2', pg_temp.id('ann'));
INSERT INTO access_permission_domains (id, permission_prefix) VALUES (pg_temp.id('domain'), 'check:check');

DO $$
DECLARE
    v_step RECORD;
    v_times TIMESTAMPTZ[];
    v_time TIMESTAMPTZ;
    v_found TEXT;
BEGIN
    SELECT string_agg(c.oid::REGCLASS::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'updated_at'
    WHERE c.relnamespace = (SELECT u.relnamespace FROM pg_catalog.pg_class AS u WHERE u.oid = 'users'::REGCLASS)
      AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition
      AND c.relname !~ '_history$|_archive$'
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = c.oid AND t.tgfoid = 'set_updated_at()'::REGPROCEDURE AND t.tgenabled = 'O'
      );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: no updated_at trigger on %', v_found;
    END IF;

    FOR v_step IN
        SELECT s.relation, s.column_name, s.which
        FROM (VALUES
            ('users', 'first_name', format('id = %L', pg_temp.id('ann'))),
            ('access_permission_domains', 'description', format('id = %L', pg_temp.id('domain'))),
            ('chat_rooms', 'name', format('id = %L', pg_temp.id('room'))),
            ('room_participants', 'left_at', format('room_id = %L', pg_temp.id('room'))),
            ('messages', 'content', format('id = %L', pg_temp.id('message'))),
            ('chat_file_attachments', 'mime_type', format('id = %L', pg_temp.id('file'))),
            ('robot_interactions', 'error_message', format('id = %L', pg_temp.id('interaction'))),
            ('escalations', 'resolution_notes', format('id = %L', pg_temp.id('escalation')))
        ) AS s (relation, column_name, which)
    LOOP
        v_times := '{}';
        FOR v_n IN 1..3 LOOP
            -- The third time, nothing changes.
            EXECUTE format('UPDATE %I SET %I = %L WHERE %s RETURNING updated_at', v_step.relation, v_step.column_name,
                           now()::TIMESTAMPTZ + make_interval(days => LEAST(v_n, 2)), v_step.which) INTO STRICT v_time;
            v_times := v_times || v_time;
        END LOOP;
        IF NOT (v_times[1] > now() AND v_times[2] > v_times[1] AND v_times[3] = v_times[2]) THEN
            RAISE EXCEPTION 'check failed: updated_at of % goes %', v_step.relation, v_times;
        END IF;
    END LOOP;
END;
$$;

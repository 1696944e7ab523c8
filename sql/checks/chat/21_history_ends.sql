-- check: cleanup_history deletes what is older than ten years, in batches, from all seven histories, and nothing younger.

-- Gone at once where no transaction is open, and every block below fails: nothing is ever lost for a check.
CREATE TEMPORARY TABLE inside_transaction ON COMMIT DROP AS SELECT TRUE AS yes;

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

INSERT INTO users_history (changed_at, operation_type, id, username, first_name, last_name, email, current_status, chat_preferences,
                           account_type_informal, current_account_status, is_email_verified, created_at, updated_at)
SELECT now() - a.age, 'UPDATE', pg_temp.id('ann'), a.age::TEXT, '', '', '', 'offline', '{}', 'guest', 'active', FALSE, now(), now()
FROM unnest(ARRAY['121 months', '122 months', '123 months', '119 months', '0 months']::INTERVAL[]) AS a (age);

INSERT INTO chat_rooms_history (changed_at, operation_type, id, room_type, status, is_private, guest_access_allowed, creator_id, room_settings, created_at, updated_at)
VALUES (now() - INTERVAL '121 months', 'UPDATE', pg_temp.id('old'), 'group', 'active', FALSE, FALSE, pg_temp.id('ann'), '{}', now(), now());
INSERT INTO room_participants_history (changed_at, operation_type, room_id, user_id, role, status, can_send_messages, can_invite_others, can_see_history,
                                       joined_at, created_at, updated_at)
VALUES (now() - INTERVAL '121 months', 'UPDATE', pg_temp.id('old'), pg_temp.id('ann'), 'member', 'active', TRUE, TRUE, TRUE, now(), now(), now());
INSERT INTO messages_history (changed_at, operation_type, id, room_id, sender_id, message_type, content, content_metadata, delivery_status, created_at, updated_at)
VALUES (now() - INTERVAL '121 months', 'UPDATE', pg_temp.id('old'), pg_temp.id('old'), pg_temp.id('ann'), 'chat', '', '{}', 'delivered', now(), now());
INSERT INTO chat_file_attachments_history (changed_at, operation_type, id, message_id, file_manager_file_id, original_filename, file_size, mime_type, owner_id, created_at, updated_at)
VALUES (now() - INTERVAL '121 months', 'UPDATE', pg_temp.id('old'), pg_temp.id('old'), pg_temp.id('old'), '', 0, '', pg_temp.id('ann'), now(), now());
INSERT INTO robot_interactions_history (changed_at, operation_type, id, message_id, robot_id, request_data, status, started_at, created_at, updated_at)
VALUES (now() - INTERVAL '121 months', 'UPDATE', pg_temp.id('old'), pg_temp.id('old'), '', '{}', 'pending', now(), now(), now());
INSERT INTO escalations_history (changed_at, operation_type, id, source_room_id, escalation_reason, from_level, to_level, created_by_user_id, status, created_at, updated_at)
VALUES (now() - INTERVAL '121 months', 'UPDATE', pg_temp.id('old'), pg_temp.id('old'), '', 'T1', 'T2', pg_temp.id('ann'), 'created', now(), now());

DO $$
DECLARE
    v_found TEXT;
BEGIN
    PERFORM g.yes FROM inside_transaction AS g;
    IF cleanup_history(120, 1) <> 7 THEN
        RAISE EXCEPTION 'check failed: cleanup_history(120, 1) does not delete one row of each table';
    END IF;
    WHILE cleanup_history() > 0 LOOP END LOOP;

    SELECT string_agg(h.username, ', ' ORDER BY h.changed_at DESC) INTO v_found FROM users_history AS h WHERE h.id = pg_temp.id('ann');
    PERFORM pg_temp.expect('the history that is left', v_found, '00:00:00, 9 years 11 mons');
    IF EXISTS (SELECT FROM chat_rooms_history AS h WHERE h.id = pg_temp.id('old'))
       OR EXISTS (SELECT FROM room_participants_history AS h WHERE h.room_id = pg_temp.id('old'))
       OR EXISTS (SELECT FROM messages_history AS h WHERE h.id = pg_temp.id('old'))
       OR EXISTS (SELECT FROM chat_file_attachments_history AS h WHERE h.id = pg_temp.id('old'))
       OR EXISTS (SELECT FROM robot_interactions_history AS h WHERE h.id = pg_temp.id('old'))
       OR EXISTS (SELECT FROM escalations_history AS h WHERE h.id = pg_temp.id('old')) THEN
        RAISE EXCEPTION 'check failed: cleanup_history left a row of eleven years ago';
    END IF;
    PERFORM pg_temp.must_fail('a DELETE of history after a cleanup', '42501', 'DELETE FROM users_history');
END;
$$;

SELECT pg_temp.must_fail(s.sql, '22023', s.sql)
FROM unnest(ARRAY['SELECT cleanup_history(119)', 'SELECT cleanup_history(NULL)', 'SELECT cleanup_history(120, 0)', 'SELECT cleanup_history(120, NULL)']) AS s (sql);

-- check: a conversation counts its messages; late ones never move last_message_at back; the earliest outgoing one is the first response.

SELECT create_monthly_partitions();

-- What the conversation says about itself, times as minutes from now.
CREATE FUNCTION pg_temp.conversation(p_id BIGINT)
RETURNS TEXT
LANGUAGE sql
AS $$
    SELECT format(
        'count %s, last %s, first response %s',
        c.message_count,
        COALESCE((EXTRACT(EPOCH FROM c.last_message_at - date_trunc('month', now(), 'UTC'))::INT / 60)::TEXT, 'none'),
        COALESCE((EXTRACT(EPOCH FROM c.first_response_at - date_trunc('month', now(), 'UTC'))::INT / 60)::TEXT, 'none')
    )
    FROM conversation_mappings AS c
    WHERE c.chatwoot_conversation_id = p_id
$$;

CREATE FUNCTION pg_temp.expect(p_what TEXT, p_id BIGINT, p_expected TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    IF pg_temp.conversation(p_id) IS DISTINCT FROM p_expected THEN
        RAISE EXCEPTION 'check failed: after % the conversation has %, not %', p_what, pg_temp.conversation(p_id), p_expected;
    END IF;
END;
$$;

-- A message so many minutes into this month.
CREATE FUNCTION pg_temp.message(p_message BIGINT, p_conversation BIGINT, p_type TEXT, p_minutes INT)
RETURNS VOID
LANGUAGE sql
AS $$
    INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
    VALUES (p_message, 1, p_conversation, p_type, date_trunc('month', now(), 'UTC') + make_interval(mins => p_minutes))
$$;

INSERT INTO conversation_mappings (chatwoot_conversation_id, krayin_lead_id)
VALUES (9000000000000001, 9000000000000101), (9000000000000002, 9000000000000101);

SELECT pg_temp.expect('nothing', 9000000000000001, 'count 0, last none, first response none');

SELECT pg_temp.message(9000000000000001, 9000000000000001, 'incoming', 10);
SELECT pg_temp.expect('an incoming message', 9000000000000001, 'count 1, last 10, first response none');

SELECT pg_temp.message(9000000000000002, 9000000000000001, 'activity', 20);
SELECT pg_temp.expect('an activity', 9000000000000001, 'count 2, last 20, first response none');

SELECT pg_temp.message(9000000000000003, 9000000000000001, 'outgoing', 40);
SELECT pg_temp.expect('the first outgoing message', 9000000000000001, 'count 3, last 40, first response 40');

SELECT pg_temp.message(9000000000000004, 9000000000000001, 'outgoing', 50);
SELECT pg_temp.expect('the second outgoing message', 9000000000000001, 'count 4, last 50, first response 40');

SELECT pg_temp.message(9000000000000005, 9000000000000001, 'incoming', 5);
SELECT pg_temp.expect('a late incoming message', 9000000000000001, 'count 5, last 50, first response 40');

SELECT pg_temp.message(9000000000000006, 9000000000000001, 'outgoing', 30);
SELECT pg_temp.expect('a late outgoing message', 9000000000000001, 'count 6, last 50, first response 30');

SELECT pg_temp.expect('messages of another conversation', 9000000000000002, 'count 0, last none, first response none');

-- Many at once, in two partitions and two conversations.
INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
SELECT
    9000000000000100 + g.n,
    1,
    9000000000000001 + g.n % 2,
    'incoming',
    date_trunc('month', now(), 'UTC') + make_interval(mins => 60, months => (g.n / 50)::INT)
FROM generate_series(0, 99) AS g (n);
SELECT pg_temp.expect('50 of 100 messages', 9000000000000002, format('count 50, last %s, first response none',
    60 + EXTRACT(EPOCH FROM date_trunc('month', now(), 'UTC') + INTERVAL '1 month' - date_trunc('month', now(), 'UTC'))::INT / 60));

-- One id in two partitions: the serial does not give it twice, but an import may.
INSERT INTO activity_mappings (id, chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
SELECT 9000000000000001, 9000000000000300 + g.n, 1, 9000000000000001, 'incoming',
       date_trunc('month', now(), 'UTC') + make_interval(mins => 1, months => g.n)
FROM generate_series(0, 1) AS g (n);

DELETE FROM activity_mappings WHERE chatwoot_message_id BETWEEN 9000000000000100 AND 9000000000000399;

-- A message again changes nothing when it is skipped, and moves from one conversation to the other when it is updated.
DO $$
DECLARE
    v_count INT;
BEGIN
    SELECT c.message_count INTO v_count FROM conversation_mappings AS c WHERE c.chatwoot_conversation_id = 9000000000000001;
    IF v_count <> 6 THEN
        RAISE EXCEPTION 'check failed: after deleting all but 6 messages the count is %', v_count;
    END IF;

    INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
    SELECT a.chatwoot_message_id, 1, a.conversation_id, 'incoming', a.created_at
    FROM activity_mappings AS a
    WHERE a.chatwoot_message_id = 9000000000000001
    ON CONFLICT DO NOTHING;

    SELECT c.message_count INTO v_count FROM conversation_mappings AS c WHERE c.chatwoot_conversation_id = 9000000000000001;
    IF v_count <> 6 THEN
        RAISE EXCEPTION 'check failed: a skipped message made the count %', v_count;
    END IF;

    UPDATE activity_mappings
    SET created_at = date_trunc('month', now(), 'UTC') + INTERVAL '1 month'
    WHERE chatwoot_message_id = 9000000000000001;

    SELECT c.message_count INTO v_count FROM conversation_mappings AS c WHERE c.chatwoot_conversation_id = 9000000000000001;
    IF v_count <> 6 THEN
        RAISE EXCEPTION 'check failed: a message moved to another month made the count %', v_count;
    END IF;

    UPDATE activity_mappings
    SET conversation_id = 9000000000000002
    WHERE chatwoot_message_id BETWEEN 9000000000000001 AND 9000000000000004;

    IF ARRAY[2, 4] <> (
        SELECT array_agg(c.message_count ORDER BY c.chatwoot_conversation_id)
        FROM conversation_mappings AS c
        WHERE c.chatwoot_conversation_id BETWEEN 9000000000000001 AND 9000000000000002
    ) THEN
        RAISE EXCEPTION 'check failed: moving four of six messages to another conversation did not give 2 and 4';
    END IF;

    IF NOT EXISTS (
        SELECT
        FROM conversation_mappings AS c
        WHERE c.chatwoot_conversation_id = 9000000000000002
          AND c.first_response_at = date_trunc('month', now(), 'UTC') + INTERVAL '40 minutes'
    ) THEN
        RAISE EXCEPTION 'check failed: the conversation that took over the messages has not their first response';
    END IF;

    -- Messages of a conversation that is not mapped (yet) are stored, and deleting them takes nothing from anybody.
    INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type)
    VALUES (9000000000000500, 1, 9000000000000003, 'incoming');
    INSERT INTO conversation_mappings (chatwoot_conversation_id, krayin_lead_id)
    VALUES (9000000000000003, 9000000000000101);
    DELETE FROM activity_mappings WHERE chatwoot_message_id = 9000000000000500;
    SELECT c.message_count INTO v_count FROM conversation_mappings AS c WHERE c.chatwoot_conversation_id = 9000000000000003;
    IF v_count <> 0 THEN
        RAISE EXCEPTION 'check failed: deleting a message from before the mapping made the count %', v_count;
    END IF;
END;
$$;

-- The counter must not look for the new row among all messages: that reads every partition.
DO $$
BEGIN
    IF (SELECT p.prosrc FROM pg_catalog.pg_proc AS p WHERE p.oid = 'update_conversation_message_count()'::REGPROCEDURE)
       ~* 'from\s+activity_mappings' THEN
        RAISE EXCEPTION 'check failed: update_conversation_message_count() reads activity_mappings';
    END IF;
END;
$$;

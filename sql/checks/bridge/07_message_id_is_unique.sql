-- check: a message id exists once over all months; a message that ON CONFLICT skips claims nothing.

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

SELECT create_monthly_partitions();

INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
VALUES (9000000000000001, 1, 9000000000000001, 'incoming', now());

SELECT pg_temp.must_fail('the same message id in another month', '23505', $sql$
    INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
    VALUES (9000000000000001, 2, 9000000000000001, 'incoming', date_trunc('month', now(), 'UTC') + INTERVAL '1 month')
$sql$, 'activity_message_keys_pkey');

SELECT pg_temp.must_fail('the same message id in the same month', '23505', $sql$
    INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
    VALUES (9000000000000001, 2, 9000000000000001, 'incoming', date_trunc('month', now(), 'UTC') + INTERVAL '1 microsecond')
$sql$, 'activity_message_keys_pkey');

SELECT pg_temp.must_fail('the same message id twice in one statement', '23505', $sql$
    INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
    VALUES
        (9000000000000002, 2, 9000000000000001, 'incoming', now()),
        (9000000000000002, 2, 9000000000000001, 'incoming', date_trunc('month', now(), 'UTC') + INTERVAL '2 months')
$sql$, 'activity_message_keys_pkey');

SELECT pg_temp.must_fail('the same message id and time', '23505', $sql$
    INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
    VALUES (9000000000000001, 2, 9000000000000001, 'incoming', now())
$sql$);

SELECT pg_temp.must_fail('a row put straight into a partition', '23505', format($sql$
    INSERT INTO %s (id, chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
    VALUES (9000000000000001, 9000000000000001, 2, 9000000000000001, 'incoming', %L)
$sql$, p.partition, p.upper_bound - INTERVAL '1 hour'), 'activity_message_keys_pkey')
FROM list_range_partitions('activity_mappings') AS p
WHERE isfinite(p.upper_bound)
ORDER BY p.upper_bound DESC
LIMIT 1;

-- The same message delivered again, as a webhook does.
INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
VALUES (9000000000000001, 7, 9000000000000001, 'incoming', now())
ON CONFLICT DO NOTHING;

INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
VALUES (9000000000000001, 8, 9000000000000001, 'incoming', now())
ON CONFLICT (chatwoot_message_id, created_at) DO UPDATE SET krayin_activity_id = EXCLUDED.krayin_activity_id;

DO $$
DECLARE
    v_activity BIGINT;
BEGIN
    SELECT a.krayin_activity_id INTO STRICT v_activity
    FROM activity_mappings AS a
    WHERE a.chatwoot_message_id = 9000000000000001;
    IF v_activity <> 8 THEN
        RAISE EXCEPTION 'check failed: ON CONFLICT DO UPDATE left the activity at %', v_activity;
    END IF;

    -- What failed above left no key behind.
    INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type)
    VALUES (9000000000000002, 2, 9000000000000001, 'incoming');

    IF 2 <> (
        SELECT count(*)
        FROM activity_message_keys AS k
        JOIN activity_mappings AS a USING (chatwoot_message_id, created_at)
        WHERE k.chatwoot_message_id BETWEEN 9000000000000001 AND 9000000000000002
    ) THEN
        RAISE EXCEPTION 'check failed: two messages do not have two keys';
    END IF;
END;
$$;

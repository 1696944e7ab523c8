-- check: a message lands in the partition of its month at UTC, up to the last microsecond; a time without a partition is refused.

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

-- One message at the first and one at the last microsecond of every partition that exists.
CREATE TEMPORARY TABLE check_edges ON COMMIT DROP AS
SELECT
    9000000000000000 + row_number() OVER (ORDER BY e.at) AS message_id,
    e.at,
    p.partition
FROM list_range_partitions('activity_mappings') AS p
CROSS JOIN LATERAL (VALUES (p.lower_bound), (p.upper_bound - INTERVAL '1 microsecond')) AS e (at)
WHERE isfinite(p.lower_bound)
  AND isfinite(p.upper_bound);

INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
SELECT e.message_id, 1, 9000000000000001, 'incoming', e.at
FROM check_edges AS e;

DO $$
DECLARE
    v_wrong RECORD;
    v_current REGCLASS;
BEGIN
    SELECT e.at, e.partition, a.tableoid::REGCLASS AS landed, a.created_at INTO v_wrong
    FROM check_edges AS e
    LEFT JOIN activity_mappings AS a ON a.chatwoot_message_id = e.message_id
    WHERE a.tableoid::REGCLASS IS DISTINCT FROM e.partition
       OR a.created_at <> e.at
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'check failed: a message of % landed in % as %, not in %',
            v_wrong.at, v_wrong.landed, v_wrong.created_at, v_wrong.partition;
    END IF;

    -- created_at left out is now, in the partition whose bounds hold now.
    INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type)
    VALUES (9000000000009999, 1, 9000000000000001, 'incoming');

    SELECT p.partition INTO STRICT v_current
    FROM list_range_partitions('activity_mappings') AS p
    WHERE now() >= p.lower_bound
      AND now() < p.upper_bound;

    IF NOT EXISTS (
        SELECT
        FROM activity_mappings AS a
        WHERE a.chatwoot_message_id = 9000000000009999
          AND a.created_at = now()
          AND a.tableoid = v_current
    ) THEN
        RAISE EXCEPTION 'check failed: a message of now is not in %', v_current;
    END IF;
END;
$$;

-- With a DEFAULT partition, which somebody may have added, no time is without one.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT
        FROM list_range_partitions('activity_mappings') AS p
        WHERE p.lower_bound IS NULL
           OR TIMESTAMPTZ '9999-01-01 00:00:00+00' >= p.lower_bound AND TIMESTAMPTZ '9999-01-01 00:00:00+00' < p.upper_bound
    ) THEN
        PERFORM pg_temp.must_fail('a message without a partition', '23514', $sql$
            INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
            VALUES (9000000000009998, 1, 9000000000000001, 'incoming', '9999-01-01 00:00:00+00')
        $sql$);
        PERFORM pg_temp.must_fail('a message without a time', '23514', $sql$
            INSERT INTO activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type, created_at)
            VALUES (9000000000009997, 1, 9000000000000001, 'incoming', NULL)
        $sql$);
    END IF;
END;
$$;

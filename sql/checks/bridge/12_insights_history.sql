-- check: a lead has one current insight; the ones before it are closed without gap, overlap or empty period.

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

DO $$
DECLARE
    v_started TIMESTAMPTZ := clock_timestamp();
    v_ids BIGINT[] := '{}';
    v_wrong TEXT;
BEGIN
    FOR v_n IN 1..5 LOOP
        v_ids := v_ids || update_ai_insights(9000000000000101, jsonb_build_object('performance_score', v_n));
        PERFORM update_ai_insights(9000000000000102, jsonb_build_object('performance_score', v_n));
    END LOOP;

    IF (SELECT array_agg(i.id ORDER BY i.valid_from) FROM ai_insights AS i WHERE i.krayin_lead_id = 9000000000000101)
       <> v_ids THEN
        RAISE EXCEPTION 'check failed: five updates of a lead do not leave its five rows in order';
    END IF;

    SELECT format('%s is_current %s, %s to %s, calculated %s, next from %s', h.id, h.is_current, h.valid_from, h.valid_to,
                  h.calculated_at, h.next_from)
    INTO v_wrong
    FROM (
        SELECT i.*, lead(i.valid_from) OVER (ORDER BY i.id) AS next_from
        FROM ai_insights AS i
        WHERE i.krayin_lead_id = 9000000000000101
    ) AS h
    WHERE h.is_current <> (h.next_from IS NULL)
       OR h.valid_to IS DISTINCT FROM h.next_from
       OR h.valid_to <= h.valid_from
       OR h.calculated_at <> h.valid_from
       -- The time of the update, not of the transaction's start.
       OR h.valid_from < v_started
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'check failed: the history of a lead has the row %', v_wrong;
    END IF;

    -- A row that a clock running ahead has written: the next one follows it.
    UPDATE ai_insights SET valid_from = clock_timestamp() + INTERVAL '1 hour'
    WHERE krayin_lead_id = 9000000000000102 AND is_current;
    PERFORM update_ai_insights(9000000000000102, '{}'::JSONB);
    IF NOT EXISTS (
        SELECT
        FROM ai_insights AS i
        JOIN ai_insights AS before ON before.krayin_lead_id = i.krayin_lead_id AND before.valid_to = i.valid_from
        WHERE i.krayin_lead_id = 9000000000000102
          AND i.is_current
          AND before.valid_from < before.valid_to
    ) THEN
        RAISE EXCEPTION 'check failed: an insight from the future is not followed by the next one';
    END IF;
END;
$$;

SELECT pg_temp.must_fail('a second current insight', '23505',
    'INSERT INTO ai_insights (krayin_lead_id) VALUES (9000000000000101)', 'unique_current_insight');

SELECT pg_temp.must_fail('a history row made current again', '23505', $sql$
    UPDATE ai_insights
    SET is_current = TRUE, valid_to = NULL
    WHERE id = (SELECT min(i.id) FROM ai_insights AS i WHERE i.krayin_lead_id = 9000000000000101)
$sql$, 'unique_current_insight');

SELECT pg_temp.must_fail('a current insight with an end', '23514',
    'UPDATE ai_insights SET valid_to = valid_from + INTERVAL ''1 day'' WHERE krayin_lead_id = 9000000000000101 AND is_current',
    'chk_ai_insights_current_is_open');

SELECT pg_temp.must_fail('an insight that ends as it begins', '23514',
    'UPDATE ai_insights SET valid_to = valid_from WHERE krayin_lead_id = 9000000000000101 AND NOT is_current',
    'chk_ai_insights_validity');

-- Two history rows, and a lead with nothing but history.
INSERT INTO ai_insights (krayin_lead_id, is_current, valid_from, valid_to)
SELECT 9000000000000103, FALSE, now() - g.n * INTERVAL '2 days', now() - g.n * INTERVAL '2 days' + INTERVAL '1 day'
FROM generate_series(1, 2) AS g (n);

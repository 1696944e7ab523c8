-- check: eight sessions that update the insights of one lead at once leave eight rows, one of them current, none lost.
-- Commits sentinel rows of a lead that cannot exist (below zero) and removes them.

-- dbctl: before
DELETE FROM ai_insights WHERE krayin_lead_id = -9000000000000027;

-- dbctl: each of 8
SELECT update_ai_insights(-9000000000000027, '{"performance_score": 5.0, "total_messages": 1}'::JSONB);

-- dbctl: after
DO $$
DECLARE
    v_rows INT;
    v_current INT;
    v_first INT;
    v_torn INT;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE is_current), count(*) FILTER (WHERE trend IS NULL)
    INTO v_rows, v_current, v_first
    FROM ai_insights
    WHERE krayin_lead_id = -9000000000000027;
    IF (v_rows, v_current, v_first) <> (8, 1, 1) THEN
        RAISE EXCEPTION 'check failed: % rows, % current, % without a trend; not 8, 1, 1', v_rows, v_current, v_first;
    END IF;
    SELECT count(*)
    INTO v_torn
    FROM (
        SELECT valid_to IS DISTINCT FROM lead(valid_from) OVER (ORDER BY valid_from) AS torn
        FROM ai_insights
        WHERE krayin_lead_id = -9000000000000027
    ) AS period
    WHERE torn;
    IF v_torn > 0 THEN
        RAISE EXCEPTION 'check failed: % periods do not end where the next begins', v_torn;
    END IF;
END;
$$;

-- dbctl: cleanup
DELETE FROM ai_insights WHERE krayin_lead_id = -9000000000000027;

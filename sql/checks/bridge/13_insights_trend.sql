-- check: the trend is improving above +0.5, declining below -0.5, stable between and exactly there, NULL for the first insight.

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
    v_step RECORD;
    v_lead BIGINT;
    v_trend TEXT;
BEGIN
    FOR v_step IN
        SELECT row_number() OVER () AS n, s.before, s.after, s.trend
        FROM (VALUES
            (5.0, 5.5, 'stable'),
            (5.0, 4.5, 'stable'),
            (5.0, 5.0, 'stable'),
            (5.0, 5.6, 'improving'),
            (5.0, 4.4, 'declining'),
            (0.0, 0.5, 'stable'),
            (0.0, 10.0, 'improving'),
            (10.0, 9.5, 'stable'),
            (10.0, 0.0, 'declining'),
            (0.1, 0.6, 'stable'),
            -- The stored scores decide: 5.54 is stored as 5.5.
            (5.0, 5.54, 'stable'),
            (5.0, 5.55, 'improving')
        ) AS s (before, after, trend)
    LOOP
        v_lead := 9000000000000100 + v_step.n;
        PERFORM update_ai_insights(v_lead, jsonb_build_object('performance_score', v_step.before));
        SELECT i.trend INTO STRICT v_trend FROM ai_insights AS i WHERE i.krayin_lead_id = v_lead AND i.is_current;
        IF v_trend IS NOT NULL THEN
            RAISE EXCEPTION 'check failed: the first insight of a lead has the trend %', v_trend;
        END IF;

        PERFORM update_ai_insights(v_lead, jsonb_build_object('performance_score', v_step.after));
        SELECT i.trend INTO STRICT v_trend FROM ai_insights AS i WHERE i.krayin_lead_id = v_lead AND i.is_current;
        IF v_trend IS DISTINCT FROM v_step.trend THEN
            RAISE EXCEPTION 'check failed: from % to % the trend is %, not %', v_step.before, v_step.after, v_trend, v_step.trend;
        END IF;
    END LOOP;
END;
$$;

SELECT pg_temp.must_fail('a trend of another name', '23514',
    'UPDATE ai_insights SET trend = ''rising'' WHERE krayin_lead_id = 9000000000000101', 'chk_ai_insights_trend');

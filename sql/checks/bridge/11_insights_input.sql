-- check: update_ai_insights takes what it is given, the column defaults for the rest, and refuses what is no object.

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
    v_id BIGINT;
    v_row ai_insights;
BEGIN
    -- The documented example, which leaves out half of the metrics.
    v_id := update_ai_insights(
        9000000000000101,
        '{"total_conversations": 5, "resolved_conversations": 3, "resolution_rate": 60.0,
          "performance_score": 7.5, "engagement_level": "high", "suggestions": []}'::JSONB
    );
    SELECT i.* INTO STRICT v_row FROM ai_insights AS i WHERE i.krayin_lead_id = 9000000000000101;
    IF v_row.id <> v_id THEN
        RAISE EXCEPTION 'check failed: update_ai_insights returned %, the row is %', v_id, v_row.id;
    END IF;
    IF (v_row.total_conversations, v_row.resolved_conversations, v_row.resolution_rate, v_row.performance_score,
        v_row.engagement_level, v_row.suggestions) <> (5, 3, 60.00, 7.5, 'high', '[]'::JSONB) THEN
        RAISE EXCEPTION 'check failed: the documented example stored %', v_row;
    END IF;
    IF (v_row.pending_conversations, v_row.average_response_time_minutes, v_row.total_messages,
        v_row.average_messages_per_conversation) <> (0, 0, 0, 0.00)
       OR v_row.last_interaction_at IS NOT NULL
       OR v_row.trend IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: absent metrics became %', v_row;
    END IF;

    -- Everything, with a number as encoders write it.
    PERFORM update_ai_insights(
        9000000000000102,
        '{"total_conversations": 1, "resolved_conversations": 2, "pending_conversations": 3, "resolution_rate": 4.25,
          "average_response_time_minutes": 5.0, "total_messages": 6, "average_messages_per_conversation": 7.5,
          "performance_score": 10, "engagement_level": "medium", "suggestions": {"call": true},
          "last_interaction_at": "2026-01-02T03:04:05Z", "something_new": 1}'::JSONB
    );
    SELECT i.* INTO STRICT v_row FROM ai_insights AS i WHERE i.krayin_lead_id = 9000000000000102;
    IF (v_row.total_conversations, v_row.resolved_conversations, v_row.pending_conversations, v_row.resolution_rate,
        v_row.average_response_time_minutes, v_row.total_messages, v_row.average_messages_per_conversation,
        v_row.performance_score, v_row.engagement_level, v_row.suggestions, v_row.last_interaction_at)
       IS DISTINCT FROM
       (1, 2, 3, 4.25, 5, 6, 7.50, 10.0, 'medium'::VARCHAR, '{"call": true}'::JSONB, TIMESTAMPTZ '2026-01-02 03:04:05+00') THEN
        RAISE EXCEPTION 'check failed: the full set of metrics stored %', v_row;
    END IF;

    -- Nothing, and null for everything.
    PERFORM update_ai_insights(9000000000000103, '{}'::JSONB);
    PERFORM update_ai_insights(
        9000000000000104,
        '{"total_conversations": null, "resolved_conversations": null, "pending_conversations": null, "resolution_rate": null,
          "average_response_time_minutes": null, "total_messages": null, "average_messages_per_conversation": null,
          "performance_score": null, "engagement_level": null, "suggestions": null, "last_interaction_at": null}'::JSONB
    );
    INSERT INTO ai_insights (krayin_lead_id) VALUES (9000000000000105);
    IF 1 <> (
        SELECT count(DISTINCT to_jsonb(i) - ARRAY['id', 'krayin_lead_id', 'calculated_at', 'valid_from'])
        FROM ai_insights AS i
        WHERE i.krayin_lead_id BETWEEN 9000000000000103 AND 9000000000000105
    ) THEN
        RAISE EXCEPTION 'check failed: metrics that are absent or null do not give the column defaults';
    END IF;
END;
$$;

SELECT pg_temp.must_fail(format('metrics that are %s', COALESCE(m.metrics::TEXT, 'NULL')), '22023',
    format('SELECT update_ai_insights(9000000000000106, %L::JSONB)', m.metrics))
FROM (VALUES ('[]'::JSONB), ('7.5'), ('"high"'), ('null'), (NULL)) AS m (metrics);

SELECT pg_temp.must_fail('an insight without lead', '22004', 'SELECT update_ai_insights(NULL, ''{}''::JSONB)');

SELECT pg_temp.must_fail('a score that is no number', '22P02',
    $sql$SELECT update_ai_insights(9000000000000106, '{"performance_score": "high"}'::JSONB)$sql$);

SELECT pg_temp.must_fail('a score above 10', '23514',
    $sql$SELECT update_ai_insights(9000000000000106, '{"performance_score": 10.1}'::JSONB)$sql$,
    'chk_ai_insights_performance_score');

-- A refused update leaves the current row as it was.
DO $$
BEGIN
    PERFORM pg_temp.must_fail('a score below 0', '23514',
        $sql$SELECT update_ai_insights(9000000000000101, '{"performance_score": -0.1}'::JSONB)$sql$,
        'chk_ai_insights_performance_score');
    IF NOT EXISTS (
        SELECT FROM ai_insights AS i WHERE i.krayin_lead_id = 9000000000000101 AND i.is_current AND i.valid_to IS NULL
    ) THEN
        RAISE EXCEPTION 'check failed: a refused update closed the current insight';
    END IF;
END;
$$;

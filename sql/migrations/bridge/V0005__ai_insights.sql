-- bridge V0005: ai_insights, what the model computed about a lead over time: one current row a lead, the rest history.
-- Lock: none that anybody could wait for; the table is new.

CREATE TABLE ai_insights (
    id BIGSERIAL PRIMARY KEY,
    krayin_lead_id BIGINT NOT NULL,

    total_conversations INT NOT NULL DEFAULT 0,
    resolved_conversations INT NOT NULL DEFAULT 0,
    pending_conversations INT NOT NULL DEFAULT 0,
    resolution_rate DECIMAL(5,2) NOT NULL DEFAULT 0.00,
    average_response_time_minutes INT NOT NULL DEFAULT 0,
    total_messages INT NOT NULL DEFAULT 0,
    average_messages_per_conversation DECIMAL(5,2) NOT NULL DEFAULT 0.00,
    performance_score DECIMAL(3,1) NOT NULL DEFAULT 0.0,
    engagement_level VARCHAR(20) NOT NULL DEFAULT 'low',
    trend VARCHAR(20) NULL,
    suggestions JSONB NULL,
    last_interaction_at TIMESTAMPTZ NULL,

    calculated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    valid_from TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    valid_to TIMESTAMPTZ NULL,
    is_current BOOLEAN NOT NULL DEFAULT TRUE,

    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT chk_ai_insights_performance_score
        CHECK (performance_score BETWEEN 0 AND 10),
    CONSTRAINT chk_ai_insights_trend
        CHECK (trend::TEXT IN ('improving', 'stable', 'declining')),
    CONSTRAINT chk_ai_insights_validity
        CHECK (valid_from < valid_to),
    CONSTRAINT chk_ai_insights_current_is_open
        CHECK (NOT is_current OR valid_to IS NULL)
);

-- One current row a lead, any number of historical ones: only an index can be unique on a part of the rows.
CREATE UNIQUE INDEX unique_current_insight
    ON ai_insights (krayin_lead_id)
    WHERE is_current;

CREATE INDEX idx_ai_insights_lead_time
    ON ai_insights (krayin_lead_id, calculated_at DESC);

CREATE INDEX idx_ai_insights_score_current
    ON ai_insights (performance_score DESC, krayin_lead_id)
    WHERE is_current;

CREATE INDEX idx_ai_insights_engagement_current
    ON ai_insights (engagement_level, performance_score DESC)
    WHERE is_current;

CREATE INDEX idx_ai_insights_trend
    ON ai_insights (trend, performance_score DESC)
    WHERE is_current;

-- Makes p_metrics the current insight of the lead, closes the one before, returns the id of the new row.
-- A metric that is absent or null takes its column's default. A last_interaction_at without an offset is UTC,
-- whatever time zone the session has.
CREATE FUNCTION update_ai_insights(p_lead_id BIGINT, p_metrics JSONB)
RETURNS BIGINT
LANGUAGE plpgsql
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
AS $$
DECLARE
    v_now TIMESTAMPTZ;
    v_score DECIMAL(3,1);
    v_previous_score DECIMAL(3,1);
    v_previous_valid_to TIMESTAMPTZ;
    v_insight_id BIGINT;
BEGIN
    IF p_lead_id IS NULL THEN
        RAISE EXCEPTION 'update_ai_insights: the lead id is null'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF p_metrics IS NULL OR jsonb_typeof(p_metrics) <> 'object' THEN
        RAISE EXCEPTION 'update_ai_insights: the metrics of lead % are not a JSON object', p_lead_id
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'pass an object, for example ''{"performance_score": 7.5}''::JSONB';
    END IF;

    -- A lead without a current row has nothing to lock, and two sessions would both insert one.
    PERFORM pg_advisory_xact_lock(hashtextextended('ai_insights:' || p_lead_id, 0));

    -- The clock is read after the wait for the lock. A row never ends before it began, even if the clock went back.
    v_now := clock_timestamp();
    v_score := COALESCE((p_metrics->>'performance_score')::NUMERIC, 0.0);

    UPDATE ai_insights AS i
    SET is_current = FALSE,
        valid_to = GREATEST(v_now, i.valid_from + INTERVAL '1 microsecond')
    WHERE i.krayin_lead_id = p_lead_id
      AND i.is_current
    RETURNING i.performance_score, i.valid_to
    INTO v_previous_score, v_previous_valid_to;

    v_now := GREATEST(v_now, v_previous_valid_to);

    INSERT INTO ai_insights (
        krayin_lead_id,
        total_conversations,
        resolved_conversations,
        pending_conversations,
        resolution_rate,
        average_response_time_minutes,
        total_messages,
        average_messages_per_conversation,
        performance_score,
        engagement_level,
        trend,
        suggestions,
        last_interaction_at,
        calculated_at,
        valid_from,
        is_current
    ) VALUES (
        p_lead_id,
        -- By way of NUMERIC: a JSON encoder may write 12 as 12.0, which INT does not read.
        COALESCE((p_metrics->>'total_conversations')::NUMERIC::INT, 0),
        COALESCE((p_metrics->>'resolved_conversations')::NUMERIC::INT, 0),
        COALESCE((p_metrics->>'pending_conversations')::NUMERIC::INT, 0),
        COALESCE((p_metrics->>'resolution_rate')::NUMERIC, 0.00),
        COALESCE((p_metrics->>'average_response_time_minutes')::NUMERIC::INT, 0),
        COALESCE((p_metrics->>'total_messages')::NUMERIC::INT, 0),
        COALESCE((p_metrics->>'average_messages_per_conversation')::NUMERIC, 0.00),
        v_score,
        COALESCE(p_metrics->>'engagement_level', 'low'),
        CASE
            WHEN v_previous_score IS NULL THEN NULL
            WHEN v_score > v_previous_score + 0.5 THEN 'improving'
            WHEN v_score < v_previous_score - 0.5 THEN 'declining'
            ELSE 'stable'
        END,
        NULLIF(p_metrics->'suggestions', 'null'::JSONB),
        (p_metrics->>'last_interaction_at')::TIMESTAMPTZ,
        v_now,
        v_now,
        TRUE
    )
    RETURNING id INTO v_insight_id;

    RETURN v_insight_id;
END;
$$;

SELECT pin_search_path('update_ai_insights(BIGINT, JSONB)');

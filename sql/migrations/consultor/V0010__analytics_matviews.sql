-- consultor V0010: figures for the dashboards, refreshed hourly by refresh_analytics(), which does not block readers.
--                  A materialized view has no row security: consultants read their own rows through functions.
-- Lock: ACCESS SHARE on the tables while the views are filled, which takes as long as reading them once.

-- Each branch is counted by itself: joined together, two conversations would count every AI response twice.
CREATE MATERIALIZED VIEW consultant_metrics AS
SELECT
    c.id AS consultant_id,
    c.name,
    c.vertical,
    l.total_leads,
    l.leads_novo,
    l.leads_em_contato,
    l.leads_agendado,
    l.leads_fechado,
    v.total_conversations,
    v.completed_conversations,
    v.avg_conversation_duration_minutes,
    a.total_tokens_used,
    a.avg_ai_latency_ms
FROM consultants AS c
CROSS JOIN LATERAL (
    SELECT
        count(*) AS total_leads,
        count(*) FILTER (WHERE leads.status = 'novo') AS leads_novo,
        count(*) FILTER (WHERE leads.status = 'em_contato') AS leads_em_contato,
        count(*) FILTER (WHERE leads.status = 'agendado') AS leads_agendado,
        count(*) FILTER (WHERE leads.status = 'fechado') AS leads_fechado
    FROM leads
    WHERE leads.consultant_id = c.id
) AS l
CROSS JOIN LATERAL (
    SELECT
        count(*) AS total_conversations,
        count(*) FILTER (WHERE conversations.is_completed) AS completed_conversations,
        avg(EXTRACT(EPOCH FROM conversations.completed_at - conversations.started_at) / 60) AS avg_conversation_duration_minutes
    FROM leads
    JOIN conversations ON conversations.lead_id = leads.id
    WHERE leads.consultant_id = c.id
) AS v
CROSS JOIN LATERAL (
    SELECT
        COALESCE(sum(ai_responses.tokens_used), 0) AS total_tokens_used,
        avg(ai_responses.latency_ms) AS avg_ai_latency_ms
    FROM leads
    JOIN ai_responses ON ai_responses.lead_id = leads.id
    WHERE leads.consultant_id = c.id
) AS a
WHERE c.is_active;

-- Unique: REFRESH … CONCURRENTLY needs it.
CREATE UNIQUE INDEX idx_consultant_metrics_consultant_id ON consultant_metrics (consultant_id);

-- The day in São Paulo, whatever time zone the session that refreshes has.
CREATE MATERIALIZED VIEW daily_lead_stats AS
SELECT
    l.consultant_id,
    (l.created_at AT TIME ZONE 'America/Sao_Paulo')::DATE AS date,
    count(*) AS leads_created,
    count(*) FILTER (WHERE l.status = 'fechado') AS leads_closed,
    round(count(*) FILTER (WHERE l.status = 'fechado')::NUMERIC / count(*) * 100, 2) AS conversion_rate
FROM leads AS l
GROUP BY 1, 2;

CREATE UNIQUE INDEX idx_daily_lead_stats_consultant ON daily_lead_stats (consultant_id, date DESC);

REVOKE ALL ON consultant_metrics, daily_lead_stats FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT ON consultant_metrics, daily_lead_stats TO service_role;

COMMENT ON MATERIALIZED VIEW consultant_metrics IS 'Figures of each active consultant, as of the last refresh_analytics()';
COMMENT ON MATERIALIZED VIEW daily_lead_stats IS 'Leads of each consultant and day (São Paulo), as of the last refresh_analytics()';

CREATE FUNCTION own_consultant_metrics()
RETURNS SETOF consultant_metrics
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT m.* FROM consultant_metrics AS m WHERE m.consultant_id = (SELECT auth.uid());
END;

CREATE FUNCTION own_daily_lead_stats()
RETURNS SETOF daily_lead_stats
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT s.* FROM daily_lead_stats AS s WHERE s.consultant_id = (SELECT auth.uid());
END;

REVOKE EXECUTE ON FUNCTION own_consultant_metrics(), own_daily_lead_stats() FROM PUBLIC, anon;
GRANT EXECUTE ON FUNCTION own_consultant_metrics(), own_daily_lead_stats() TO authenticated, service_role;

COMMENT ON FUNCTION own_consultant_metrics() IS 'The caller''s row of consultant_metrics';
COMMENT ON FUNCTION own_daily_lead_stats() IS 'The caller''s rows of daily_lead_stats';

-- Only the owner of a view may refresh it, hence the owner's rights. A view restored without its data is filled first.
CREATE FUNCTION refresh_analytics()
RETURNS VOID
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
DECLARE
    v_populated BOOLEAN;
BEGIN
    SELECT c.relispopulated INTO STRICT v_populated
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = 'consultant_metrics'::REGCLASS::OID;
    IF v_populated THEN
        REFRESH MATERIALIZED VIEW CONCURRENTLY consultant_metrics;
    ELSE
        REFRESH MATERIALIZED VIEW consultant_metrics;
    END IF;

    SELECT c.relispopulated INTO STRICT v_populated
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = 'daily_lead_stats'::REGCLASS::OID;
    IF v_populated THEN
        REFRESH MATERIALIZED VIEW CONCURRENTLY daily_lead_stats;
    ELSE
        REFRESH MATERIALIZED VIEW daily_lead_stats;
    END IF;
END;
$$;

SELECT pin_search_path('refresh_analytics()');

REVOKE EXECUTE ON FUNCTION refresh_analytics() FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION refresh_analytics() TO service_role;

COMMENT ON FUNCTION refresh_analytics() IS 'Refreshes consultant_metrics and daily_lead_stats without blocking their readers; run it hourly';

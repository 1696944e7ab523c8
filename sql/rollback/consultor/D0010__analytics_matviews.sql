-- consultor D0010: undoes V0010.
-- Lock: ACCESS EXCLUSIVE on both materialized views, held for catalog changes only.

DROP FUNCTION refresh_analytics();
DROP FUNCTION own_daily_lead_stats();
DROP FUNCTION own_consultant_metrics();
DROP MATERIALIZED VIEW daily_lead_stats;
DROP MATERIALIZED VIEW consultant_metrics;

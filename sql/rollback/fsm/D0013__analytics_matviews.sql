-- fsm D0013: undoes V0013, both materialized views.
-- Lock: ACCESS EXCLUSIVE on the views, held for catalog changes only.

DROP MATERIALIZED VIEW analytics.user_activity_stats;
DROP MATERIALIZED VIEW analytics.project_stats;

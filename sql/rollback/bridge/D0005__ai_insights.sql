-- bridge D0005: undoes V0005; the rows of ai_insights are lost.
-- Lock: ACCESS EXCLUSIVE on the table, held for catalog changes only.

DROP FUNCTION update_ai_insights(BIGINT, JSONB);
DROP TABLE ai_insights;

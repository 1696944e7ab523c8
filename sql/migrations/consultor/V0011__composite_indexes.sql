-- consultor V0011: indexes for the lead dashboard with filters and for conversation analytics.
-- Lock: SHARE on leads, then on conversations: writes wait while an index is built. Short on the new tables of a first
--       migration; on tables with many rows build the same index CONCURRENTLY before, under the same name, and this is a no-op.

CREATE INDEX IF NOT EXISTS idx_leads_consultant_status_date
    ON leads (consultant_id, status, created_at DESC);

CREATE INDEX IF NOT EXISTS idx_conversations_lead_flow_completed
    ON conversations (lead_id, flow_id, is_completed);

-- fsm V0006: events, one partition a day (UTC), and page views, one a month.
-- Lock: SHARE ROW EXCLUSIVE on auth.users and app.organizations for the foreign keys; the tables are new, nothing is
--       scanned. V0008 makes the partitions.

-- What somebody did stays counted when they or their organization are deleted: SET NULL.
CREATE TABLE analytics.events (
    id BIGSERIAL NOT NULL,
    event_type VARCHAR(100) NOT NULL,
    user_id UUID REFERENCES auth.users (id) ON DELETE SET NULL,
    organization_id UUID REFERENCES app.organizations (id) ON DELETE SET NULL,
    session_id UUID,
    properties JSONB DEFAULT '{}'::JSONB,
    context JSONB DEFAULT '{}'::JSONB,
    ip_address INET,
    user_agent TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),

    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

CREATE TABLE analytics.page_views (
    id BIGSERIAL NOT NULL,
    user_id UUID REFERENCES auth.users (id) ON DELETE SET NULL,
    session_id UUID,
    url TEXT NOT NULL,
    referrer TEXT,
    duration_ms INTEGER,
    metadata JSONB DEFAULT '{}'::JSONB,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),

    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

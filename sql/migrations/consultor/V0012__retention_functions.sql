-- consultor V0012: what is kept how long. Each function does one batch, oldest rows first, and returns how many rows
--                  (consultants) it was; call it, each time in a transaction of its own, until it returns 0.
--                  Rows that somebody else has locked are left for the next call.
-- Lock: none; functions only.

-- The moment before which rows are out of date; refuses a period that is too short, and a batch of none.
CREATE FUNCTION retention_cutoff(p_keep INTERVAL, p_at_least INTERVAL, p_limit INTEGER)
RETURNS TIMESTAMPTZ
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET IntervalStyle = 'postgres'
AS $$
BEGIN
    IF p_keep IS NULL OR now() - p_keep > now() - p_at_least THEN
        RAISE EXCEPTION 'keeping % is too short: at least %', COALESCE(p_keep::TEXT, 'null'), p_at_least
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF p_limit IS NULL OR p_limit < 1 THEN
        RAISE EXCEPTION 'a batch of % rows: at least 1', COALESCE(p_limit::TEXT, 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    RETURN now() - p_keep;
END;
$$;

-- Processed webhooks go 30 days after they came. Unprocessed ones stay: they are there to be replayed.
-- (The first statement of each body refuses bad arguments also where there is nothing to delete. The batch is a CTE:
-- as a subquery of IN it may be run again for every row that it is compared with, and find other rows each time.)
CREATE FUNCTION cleanup_webhook_events(p_days INTEGER DEFAULT 30, p_limit INTEGER DEFAULT 10000)
RETURNS INTEGER
LANGUAGE sql
VOLATILE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT retention_cutoff(make_interval(days => p_days), '1 day', p_limit);

    WITH batch AS MATERIALIZED (
        SELECT o.id
        FROM webhook_events AS o
        WHERE o.processed
          AND o.received_at < (SELECT retention_cutoff(make_interval(days => p_days), '1 day', p_limit))
        ORDER BY o.received_at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    ), deleted AS (
        DELETE FROM webhook_events AS w
        USING batch AS b
        WHERE w.id = b.id
        RETURNING 1
    )
    SELECT count(*)::INTEGER FROM deleted;
END;

-- Addresses of the audit trail are removed after 90 days.
CREATE FUNCTION anonymize_audit_ips(p_days INTEGER DEFAULT 90, p_limit INTEGER DEFAULT 10000)
RETURNS INTEGER
LANGUAGE sql
VOLATILE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT retention_cutoff(make_interval(days => p_days), '1 day', p_limit);

    WITH batch AS MATERIALIZED (
        SELECT o.id
        FROM audit_logs AS o
        WHERE o.ip_address IS NOT NULL
          AND o.created_at < (SELECT retention_cutoff(make_interval(days => p_days), '1 day', p_limit))
        ORDER BY o.created_at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    ), anonymized AS (
        UPDATE audit_logs AS a
        SET ip_address = NULL
        FROM batch AS b
        WHERE a.id = b.id
        RETURNING 1
    )
    SELECT count(*)::INTEGER FROM anonymized;
END;

-- The audit trail itself, never before five years.
CREATE FUNCTION cleanup_audit_logs(p_keep INTERVAL DEFAULT '5 years', p_limit INTEGER DEFAULT 10000)
RETURNS INTEGER
LANGUAGE sql
VOLATILE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT retention_cutoff(p_keep, '5 years', p_limit);

    WITH batch AS MATERIALIZED (
        SELECT o.id
        FROM audit_logs AS o
        WHERE o.created_at < (SELECT retention_cutoff(p_keep, '5 years', p_limit))
        ORDER BY o.created_at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    ), deleted AS (
        DELETE FROM audit_logs AS a
        USING batch AS b
        WHERE a.id = b.id
        RETURNING 1
    )
    SELECT count(*)::INTEGER FROM deleted;
END;

-- Moves old messages to messages_archive. An id that is there already (a message that was copied back) takes the newer
-- values: nothing that leaves messages is lost.
CREATE FUNCTION archive_messages(p_keep INTERVAL DEFAULT '2 years', p_limit INTEGER DEFAULT 10000)
RETURNS INTEGER
LANGUAGE sql
VOLATILE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT retention_cutoff(p_keep, '1 day', p_limit);

    WITH batch AS MATERIALIZED (
        SELECT o.id
        FROM messages AS o
        WHERE o.created_at < (SELECT retention_cutoff(p_keep, '1 day', p_limit))
        ORDER BY o.created_at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    ), moved AS (
        DELETE FROM messages AS m
        USING batch AS b
        WHERE m.id = b.id
        RETURNING
            m.id, m.conversation_id, m.direction, m.content, m.message_type, m.media_url, m.whatsapp_message_id,
            m.status, m.error_message, m.created_at
    ), archived AS (
        INSERT INTO messages_archive AS a (
            id, conversation_id, direction, content, message_type, media_url, whatsapp_message_id,
            status, error_message, created_at
        )
        SELECT
            d.id, d.conversation_id, d.direction, d.content, d.message_type, d.media_url, d.whatsapp_message_id,
            d.status, d.error_message, d.created_at
        FROM moved AS d
        ON CONFLICT (id) DO UPDATE
        SET conversation_id = excluded.conversation_id,
            direction = excluded.direction,
            content = excluded.content,
            message_type = excluded.message_type,
            media_url = excluded.media_url,
            whatsapp_message_id = excluded.whatsapp_message_id,
            status = excluded.status,
            error_message = excluded.error_message,
            created_at = excluded.created_at,
            archived_at = excluded.archived_at
        RETURNING 1
    )
    SELECT count(*)::INTEGER FROM archived;
END;

-- Deletes these consultants and what is about them or their leads, prompts and images too, which a deletion by
-- foreign key would leave behind without an owner. Children first: an image that refers to a lead and to its consultant
-- loses both by ON DELETE SET NULL, which fails (23503) in the transaction that wrote it. The audit trail stays.
CREATE FUNCTION purge_consultants(p_ids UUID[])
RETURNS INTEGER
LANGUAGE sql
VOLATILE
STRICT
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- Two statements each, not one with OR: the indexes serve these.
    DELETE FROM ai_responses AS a
    WHERE a.lead_id IN (SELECT l.id FROM leads AS l WHERE l.consultant_id = ANY (p_ids));

    DELETE FROM ai_responses AS a
    WHERE a.conversation_id IN (
        SELECT c.id
        FROM conversations AS c
        JOIN leads AS l ON l.id = c.lead_id
        WHERE l.consultant_id = ANY (p_ids)
    );

    DELETE FROM generated_images AS i
    WHERE i.consultant_id = ANY (p_ids);

    DELETE FROM generated_images AS i
    WHERE i.lead_id IN (SELECT l.id FROM leads AS l WHERE l.consultant_id = ANY (p_ids));

    DELETE FROM leads AS l
    WHERE l.consultant_id = ANY (p_ids);

    DELETE FROM flows AS f
    WHERE f.created_by = ANY (p_ids)
      AND NOT f.is_template
      AND NOT EXISTS (SELECT FROM conversations AS c WHERE c.flow_id = f.id);

    WITH deleted AS (
        DELETE FROM consultants AS c
        WHERE c.id = ANY (p_ids)
        RETURNING 1
    )
    SELECT count(*)::INTEGER FROM deleted;
END;

-- Closed accounts go 90 days after they were closed. Ten at once: each may have thousands of leads.
CREATE FUNCTION purge_closed_consultants(p_days INTEGER DEFAULT 90, p_limit INTEGER DEFAULT 10)
RETURNS INTEGER
LANGUAGE sql
VOLATILE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT retention_cutoff(make_interval(days => p_days), '1 day', p_limit);

    SELECT COALESCE(purge_consultants(array_agg(closed.id)), 0)
    FROM (
        SELECT c.id
        FROM consultants AS c
        WHERE NOT c.is_active
          AND c.deactivated_at < (SELECT retention_cutoff(make_interval(days => p_days), '1 day', p_limit))
        ORDER BY c.deactivated_at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    ) AS closed;
END;

-- For the jobs of service_role. purge_consultants() deletes whom it is told, and is the owner's only.
REVOKE EXECUTE ON FUNCTION
    retention_cutoff(INTERVAL, INTERVAL, INTEGER),
    cleanup_webhook_events(INTEGER, INTEGER),
    anonymize_audit_ips(INTEGER, INTEGER),
    cleanup_audit_logs(INTERVAL, INTEGER),
    archive_messages(INTERVAL, INTEGER),
    purge_consultants(UUID[]),
    purge_closed_consultants(INTEGER, INTEGER)
FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION
    cleanup_webhook_events(INTEGER, INTEGER),
    anonymize_audit_ips(INTEGER, INTEGER),
    cleanup_audit_logs(INTERVAL, INTEGER),
    archive_messages(INTERVAL, INTEGER),
    purge_closed_consultants(INTEGER, INTEGER)
TO service_role;

COMMENT ON FUNCTION cleanup_webhook_events(INTEGER, INTEGER) IS 'Deletes a batch of processed webhooks older than so many days; repeat until 0';
COMMENT ON FUNCTION anonymize_audit_ips(INTEGER, INTEGER) IS 'Removes the addresses of a batch of audit entries older than so many days; repeat until 0';
COMMENT ON FUNCTION cleanup_audit_logs(INTERVAL, INTEGER) IS 'Deletes a batch of audit entries older than so long, at least five years; repeat until 0';
COMMENT ON FUNCTION archive_messages(INTERVAL, INTEGER) IS 'Moves a batch of messages older than so long to messages_archive; repeat until 0';
COMMENT ON FUNCTION purge_consultants(UUID[]) IS 'Deletes these consultants and everything about them except the audit trail';
COMMENT ON FUNCTION purge_closed_consultants(INTEGER, INTEGER) IS 'Purges a batch of consultants closed more than so many days ago; repeat until 0';

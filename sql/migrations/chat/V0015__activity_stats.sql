-- chat V0015: room_activity_stats, what happens in each room ("materialized views for complex aggregations").
-- Lock: ACCESS SHARE on the tables that it reads, for as long as filling it takes.
--
-- A materialized view knows no row level security: only chat_service may read it.

-- Each branch is counted by itself: joined first, a message would count once for every participant and file.
CREATE MATERIALIZED VIEW room_activity_stats AS
SELECT
    r.id AS room_id,
    r.room_type,
    r.status,
    COALESCE(p.participants, 0) AS participants,
    COALESCE(m.messages, 0) AS messages,
    COALESCE(m.robot_messages, 0) AS robot_messages,
    m.first_message_at,
    m.last_message_at,
    COALESCE(f.files, 0) AS files,
    COALESCE(f.file_bytes, 0) AS file_bytes,
    COALESCE(e.escalations, 0) AS escalations
FROM chat_rooms AS r
LEFT JOIN (
    SELECT q.room_id, count(*) AS participants
    FROM room_participants AS q
    WHERE q.status IN ('active', 'muted')
      AND q.deleted_at IS NULL
    GROUP BY q.room_id
) AS p ON p.room_id = r.id
LEFT JOIN (
    SELECT
        q.room_id,
        count(*) AS messages,
        count(*) FILTER (WHERE q.message_type = 'robot') AS robot_messages,
        min(q.created_at) AS first_message_at,
        max(q.created_at) AS last_message_at
    FROM messages AS q
    WHERE q.deleted_at IS NULL
    GROUP BY q.room_id
) AS m ON m.room_id = r.id
LEFT JOIN (
    SELECT q.room_id, count(*) AS files, sum(a.file_size) AS file_bytes
    FROM chat_file_attachments AS a
    JOIN messages AS q ON q.id = a.message_id
    WHERE a.deleted_at IS NULL
      AND q.deleted_at IS NULL
    GROUP BY q.room_id
) AS f ON f.room_id = r.id
LEFT JOIN (
    SELECT q.source_room_id, count(*) AS escalations
    FROM escalations AS q
    GROUP BY q.source_room_id
) AS e ON e.source_room_id = r.id
WHERE r.deleted_at IS NULL;

-- REFRESH ... CONCURRENTLY needs it, and a lookup by room uses it.
CREATE UNIQUE INDEX uq_room_activity_stats_room
    ON room_activity_stats (room_id);

CREATE INDEX idx_room_activity_stats_last_message
    ON room_activity_stats (last_message_at DESC NULLS LAST);

-- Brings room_activity_stats up to date while it can be read. SECURITY DEFINER: only an owner may refresh.
CREATE FUNCTION refresh_room_activity_stats()
RETURNS VOID
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
BEGIN
    IF (SELECT c.relispopulated FROM pg_catalog.pg_class AS c WHERE c.oid = 'room_activity_stats'::REGCLASS) THEN
        REFRESH MATERIALIZED VIEW CONCURRENTLY room_activity_stats;
    ELSE
        REFRESH MATERIALIZED VIEW room_activity_stats;
    END IF;
END;
$$;

SELECT pin_search_path('refresh_room_activity_stats()');
REVOKE EXECUTE ON FUNCTION refresh_room_activity_stats() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refresh_room_activity_stats() TO chat_service;
GRANT SELECT ON room_activity_stats TO chat_service;

-- chat D0015: undoes V0015, room_activity_stats.
-- Lock: ACCESS EXCLUSIVE on the materialized view, held for catalog changes only.

DROP FUNCTION refresh_room_activity_stats();
DROP MATERIALIZED VIEW room_activity_stats;

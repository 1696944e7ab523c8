-- bridge D0009: undoes V0009, the partition functions. The partitions that they made stay.
-- Lock: none on any table; functions only.

DROP FUNCTION drop_old_partitions(INT);
DROP FUNCTION create_monthly_partitions();
DROP FUNCTION purge_activity_message_keys(TIMESTAMPTZ);
DROP FUNCTION drop_expired_partitions(REGCLASS, TIMESTAMPTZ);
DROP FUNCTION ensure_range_partitions(REGCLASS, TEXT, TIMESTAMPTZ, TIMESTAMPTZ);
DROP FUNCTION list_expired_partitions(REGCLASS, TIMESTAMPTZ);
DROP FUNCTION list_range_partitions(REGCLASS);

-- How many queries did replay cancel on this standby, and why?
-- Server: 14.
-- Rights: none.
SELECT
    c.datname::text AS database,
    c.confl_tablespace AS tablespace,
    c.confl_lock AS lock,
    c.confl_snapshot AS snapshot,
    c.confl_bufferpin AS buffer_pin,
    c.confl_deadlock AS deadlock,
    COALESCE((pg_catalog.to_jsonb(c) ->> 'confl_active_logicalslot')::int8, 0) AS logical_slot
FROM pg_catalog.pg_stat_database_conflicts AS c
WHERE
    pg_catalog.pg_is_in_recovery()
    AND c.datname IS NOT NULL
    AND c.confl_tablespace + c.confl_lock + c.confl_snapshot + c.confl_bufferpin + c.confl_deadlock
    + COALESCE((pg_catalog.to_jsonb(c) ->> 'confl_active_logicalslot')::int8, 0) > 0
ORDER BY c.datname

-- Under which retention were partitions last let go, and which holds are in force?
-- Server: 14.
-- Rights: SELECT on dbctl.partition_policy and dbctl.hold.
SELECT
    'policy' AS kind,
    p.parent AS id,
    p.keep,
    p.expire,
    NULL::text[] AS tables,
    NULL::text AS from_day,
    NULL::text AS to_day
FROM dbctl.partition_policy AS p
UNION ALL
SELECT
    'hold',
    h.id,
    NULL,
    h.reason,
    h.tables,
    h.from_day::text,
    h.to_day::text
FROM dbctl.hold AS h
WHERE h.lifted_at IS NULL
ORDER BY 1, 2

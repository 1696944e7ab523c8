-- How do these tables and their TOAST tables stand after a vacuum, which counted their pages?
-- Server: 14.
-- Rights: none.
SELECT
    c.oid,
    COALESCE(pg_catalog.pg_stat_get_dead_tuples(c.oid), 0) + COALESCE(pg_catalog.pg_stat_get_dead_tuples(x.oid), 0) AS dead,
    GREATEST(
        CASE WHEN c.relfrozenxid <> '0' THEN pg_catalog.age(c.relfrozenxid)::int8 END,
        CASE WHEN x.relfrozenxid <> '0' THEN pg_catalog.age(x.relfrozenxid)::int8 END
    ) AS xid_age,
    (GREATEST(c.relpages, 0)::int8 + COALESCE(GREATEST(x.relpages, 0), 0)) * pg_catalog.current_setting('block_size')::int8 AS row_bytes
FROM pg_catalog.pg_class AS c
LEFT JOIN pg_catalog.pg_class AS x ON x.oid = c.reltoastrelid
WHERE c.oid = ANY ($1)
ORDER BY c.oid

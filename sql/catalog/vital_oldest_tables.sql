-- Which tables of this database hold the oldest transaction numbers?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.format('%I.%I', n.nspname, c.relname) AS relation,
    pg_catalog.age(c.relfrozenxid)::int8 AS xid_age,
    pg_catalog.mxid_age(c.relminmxid)::int8 AS mxid_age,
    c.relpages::int8 * pg_catalog.current_setting('block_size')::int8 AS bytes,
    pg_catalog.format('VACUUM (FREEZE) %I.%I', n.nspname, c.relname) AS remedy
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't'
ORDER BY GREATEST(pg_catalog.age(c.relfrozenxid), pg_catalog.mxid_age(c.relminmxid)) DESC, c.oid
LIMIT 10

-- How large are these partitions (oids $1)? Nothing where one is gone; rows are the last ANALYZE's.
-- Server: 14.
-- Rights: none.
SELECT
    c.oid,
    pg_catalog.pg_total_relation_size(c.oid) AS bytes,
    CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END AS rows
FROM pg_catalog.pg_class AS c
WHERE c.oid = ANY ($1)

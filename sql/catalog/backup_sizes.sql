-- How large are these tables, and of how many pages? They are locked by who asks.
-- Server: 14.
-- Rights: none.
SELECT
    t.oid,
    pg_catalog.pg_table_size(t.oid) AS bytes,
    pg_catalog.pg_relation_size(t.oid) / pg_catalog.current_setting('block_size')::INT8 AS pages
FROM pg_catalog.unnest($1::OID[]) AS t (oid)

-- How are these indexes ($1) made?
-- Server: 14.
-- Rights: none.
SELECT i.indexrelid AS oid, pg_catalog.pg_get_indexdef(i.indexrelid) AS definition
FROM pg_catalog.pg_index AS i
WHERE i.indexrelid = ANY($1)

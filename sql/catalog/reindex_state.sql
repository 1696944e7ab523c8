-- What has become of this index, and which one bears its name now?
-- Server: 14.
-- Rights: none.
SELECT
    i.indexrelid AS oid,
    c.relfilenode AS filenode,
    n.nspname::text AS schema,
    c.relname::text AS name,
    i.indisvalid AND i.indisready AND i.indislive AS is_valid,
    pg_catalog.pg_relation_size(c.oid) AS bytes
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE i.indexrelid = $1 OR (n.nspname = $2 AND c.relname = $3)

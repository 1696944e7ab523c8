-- Which relations of users are there, in which files, how large, and how often was each read whole?
-- Server: 14.
-- Rights: none.
SELECT
    (pg_catalog.pg_current_wal_insert_lsn() - '0/0')::numeric::int8 AS wal,
    c.oid::int8 AS relation,
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relkind::text AS kind,
    COALESCE(x.indrelid, o.oid, 0)::int8 AS of,
    c.relfilenode::int8 AS file,
    CASE WHEN c.relfilenode <> 0 THEN pg_catalog.pg_relation_size(c.oid) END AS bytes,
    c.reltuples::float8 AS rows,
    pg_catalog.pg_stat_get_numscans(c.oid) AS scans,
    pg_catalog.pg_stat_get_xact_numscans(c.oid) AS unsent
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index AS x ON x.indexrelid = c.oid
LEFT JOIN pg_catalog.pg_class AS o ON c.relkind = 't' AND o.reltoastrelid = c.oid
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'm', 'v', 'f', 'i', 'I', 'S', 't')

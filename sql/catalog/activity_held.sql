-- Which tables and indexes of this database do these backends hold locks on?
-- Server: 14.
-- Rights: none.
SELECT
    l.pid,
    l.mode,
    pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS relation
FROM pg_catalog.pg_locks AS l
INNER JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
INNER JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE l.granted AND l.locktype = 'relation' AND c.relkind <> 'i' AND l.pid = ANY($1)
ORDER BY l.pid, l.mode, relation

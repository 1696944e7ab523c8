-- Which indexes are invalid although nobody builds them?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.format('%I.%I', n.nspname, c.relname) AS index,
    pg_catalog.format('%I.%I', tn.nspname, t.relname) AS relation,
    CASE
        WHEN c.relkind = 'I' THEN pg_catalog.format('-- attach what is missing to %I.%I', n.nspname, c.relname)
        WHEN c.relname ~ '_cc(new|old)[0-9]*$' THEN pg_catalog.format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, c.relname)
        ELSE pg_catalog.format('REINDEX INDEX CONCURRENTLY %I.%I', n.nspname, c.relname)
    END AS remedy
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
INNER JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
WHERE
    NOT i.indisvalid
    AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_locks AS l
        WHERE l.relation = i.indexrelid AND l.pid <> pg_catalog.pg_backend_pid() AND l.mode = 'ShareUpdateExclusiveLock'
    )
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p WHERE p.index_relid = i.indexrelid)
ORDER BY 1

-- What has this session's open transaction locked, read and written, and how far is the WAL?
-- Server: 14.
-- Rights: none.
SELECT
    (w.lsn - '0/0')::numeric::int8 AS wal,
    -- Functions that catch exceptions: what they lock before one is let go again, unseen.
    w.catchers,
    l.relation::int8 AS relation,
    pg_catalog.max(n.nspname::text) AS schema,
    pg_catalog.max(c.relname::text) AS name,
    pg_catalog.max(c.relkind::text) AS kind,
    pg_catalog.max(x.indrelid::int8) AS of,
    -- A trigger of it does so.
    pg_catalog.bool_or(EXISTS (
        SELECT FROM pg_catalog.pg_trigger AS t INNER JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
        WHERE t.tgrelid = c.oid AND p.oid >= 16384 AND p.prosrc ~* '\mexception\s+when\M'
    )) AS catches,
    pg_catalog.array_agg(DISTINCT l.mode) FILTER (WHERE l.mode IS NOT NULL) AS modes,
    -- Null for what the transaction itself has dropped.
    pg_catalog.max(c.relfilenode::int8) AS file,
    pg_catalog.max(CASE WHEN c.relfilenode <> 0 THEN pg_catalog.pg_relation_size(c.oid) END) AS bytes,
    pg_catalog.max(pg_catalog.pg_stat_get_xact_numscans(l.relation)) AS scans,
    pg_catalog.max(pg_catalog.pg_stat_get_xact_tuples_returned(l.relation)) AS rows_read,
    pg_catalog.max(
        pg_catalog.pg_stat_get_xact_tuples_inserted(l.relation)
        + pg_catalog.pg_stat_get_xact_tuples_updated(l.relation)
        + pg_catalog.pg_stat_get_xact_tuples_deleted(l.relation)
    ) AS rows_written
FROM
    (
        SELECT
            pg_catalog.pg_current_wal_insert_lsn() AS lsn,
            ARRAY(
                SELECT p.proname::text FROM pg_catalog.pg_proc AS p
                WHERE p.oid >= 16384 AND p.prosrc ~* '\mexception\s+when\M'
            ) AS catchers
    ) AS w
LEFT JOIN pg_catalog.pg_locks AS l
    ON l.pid = pg_catalog.pg_backend_pid()
    AND l.locktype = 'relation'
    AND l.granted
    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
    -- What every database has comes before the first object of a user.
    AND l.relation >= 16384
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index AS x ON x.indexrelid = c.oid
GROUP BY w.lsn, w.catchers, l.relation

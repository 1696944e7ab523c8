-- What indexes do the tables of this database have, how large are they, and how often were they used?
-- Server: 14.
-- Rights: none.
-- Two indexes of one signature have the same columns, expressions, operator classes, collations, order and condition.
WITH held AS MATERIALIZED (
    SELECT DISTINCT l.relation
    FROM pg_catalog.pg_locks AS l
    INNER JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
    WHERE l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
)
SELECT
    i.indexrelid AS oid,
    i.indrelid AS table_oid,
    p.inhparent AS parent,
    n.nspname::text AS schema,
    t.relname::text AS table_name,
    c.relname::text AS name,
    c.relkind = 'I' AS is_partitioned,
    a.amname::text AS method,
    i.indisunique AS is_unique,
    i.indisprimary OR i.indisreplident OR i.indisexclusion
    OR EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x', 'f'))
    AS is_needed,
    i.indisvalid AND i.indisready AND i.indislive AS is_valid,
    EXISTS (
        SELECT FROM pg_catalog.pg_locks AS l
        WHERE l.relation = i.indexrelid AND l.mode = 'ShareUpdateExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
    ) AS is_built,
    i.indnkeyatts::int8 AS keys,
    (
        SELECT pg_catalog.array_agg(u.attnum::int8 ORDER BY u.at)
        FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS u (attnum, at)
    ) AS columns,
    (
        SELECT pg_catalog.array_agg(pg_catalog.format('%s %s %s', o.class, s.sorting, x.option) ORDER BY o.at)
        FROM pg_catalog.unnest(i.indclass::oid[]) WITH ORDINALITY AS o (class, at)
        INNER JOIN pg_catalog.unnest(i.indcollation::oid[]) WITH ORDINALITY AS s (sorting, at) ON s.at = o.at
        INNER JOIN pg_catalog.unnest(i.indoption::int2[]) WITH ORDINALITY AS x (option, at) ON x.at = o.at
    ) AS ways,
    pg_catalog.regexp_replace(COALESCE(i.indexprs::text, ''), ':location -?[0-9]+', '', 'g') AS expressions,
    pg_catalog.regexp_replace(COALESCE(i.indpred::text, ''), ':location -?[0-9]+', '', 'g') AS condition,
    CASE
        WHEN c.relkind = 'I' THEN 0
        WHEN h.relation IS NOT NULL THEN c.relpages::int8 * pg_catalog.current_setting('block_size')::int8
        ELSE pg_catalog.pg_relation_size(c.oid)
    END AS bytes,
    COALESCE(pg_catalog.pg_stat_get_numscans(i.indexrelid), 0)::int8 AS scans,
    GREATEST(t.reltuples, 0)::int8 AS rows
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
INNER JOIN pg_catalog.pg_am AS a ON a.oid = c.relam
LEFT JOIN pg_catalog.pg_inherits AS p ON p.inhrelid = i.indexrelid
LEFT JOIN held AS h ON h.relation = i.indexrelid
WHERE
    t.relkind IN ('r', 'm', 'p')
    AND t.relpersistence <> 't'
    AND n.nspname <> 'information_schema'
    AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
ORDER BY i.indexrelid

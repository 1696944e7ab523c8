-- What indexes do the tables of this database have, how large are they, and how often were they used?
-- Server: 14.
-- Rights: none.
-- Two indexes of one signature have the same columns, expressions, operator classes, collations, order and condition.
-- The size is the one that the last VACUUM or ANALYZE saw, which takes no lock. Of TOAST tables only what is invalid is told.
-- With $1 only those of tables that have an idle one, and of partitions, which are judged together.
WITH idle AS MATERIALIZED (
    SELECT DISTINCT u.indrelid AS oid
    FROM pg_catalog.pg_index AS u
    WHERE $1 AND NOT u.indisunique AND COALESCE(pg_catalog.pg_stat_get_numscans(u.indexrelid), 0) = 0
),
needed AS MATERIALIZED (
    SELECT DISTINCT k.conindid AS oid
    FROM pg_catalog.pg_constraint AS k
    WHERE k.contype IN ('p', 'u', 'x', 'f')
),
owners AS MATERIALIZED (
    SELECT o.oid, o.relname, o.relnamespace, o.reltoastrelid
    FROM pg_catalog.pg_class AS o
    WHERE o.reltoastrelid <> 0 AND o.relpersistence <> 't'
)
SELECT
    i.indexrelid AS oid,
    COALESCE(o.oid, i.indrelid) AS table_oid,
    p.inhparent AS parent,
    n.nspname::text AS schema,
    COALESCE(o.relname, t.relname)::text AS table_name,
    cn.nspname::text AS index_schema,
    c.relname::text AS name,
    c.relkind = 'I' AS is_partitioned,
    CASE
        WHEN c.relkind = 'I'
            THEN (
                SELECT pg_catalog.count(*)
                FROM pg_catalog.pg_inherits AS part
                INNER JOIN pg_catalog.pg_class AS pc ON pc.oid = part.inhrelid
                WHERE part.inhparent = i.indrelid AND pc.relkind <> 'f'
            )
        ELSE 0
    END AS partitions,
    a.amname::text AS method,
    i.indisunique AS is_unique,
    i.indisclustered AS is_clustered,
    CASE
        WHEN i.indisunique AND NOT i.indisprimary
            THEN COALESCE((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false)
        ELSE false
    END AS is_strict,
    i.indisprimary OR i.indisreplident OR i.indisexclusion OR d.oid IS NOT NULL AS is_needed,
    i.indisvalid AND i.indisready AND i.indislive AS is_valid,
    i.indislive AS is_live,
    CASE
        WHEN i.indisvalid AND i.indisready AND i.indislive THEN false
        ELSE
            EXISTS (
                SELECT
                FROM pg_catalog.pg_locks AS l
                WHERE
                    l.relation = i.indexrelid
                    AND l.mode = 'ShareUpdateExclusiveLock'
                    AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
            )
            -- While it waits for others it holds the table alone; which index it is, only its own role may see.
            OR EXISTS (
                SELECT
                FROM pg_catalog.pg_stat_progress_create_index AS b
                INNER JOIN pg_catalog.pg_locks AS l ON l.pid = b.pid AND l.relation = i.indrelid
                WHERE COALESCE(b.index_relid, 0) IN (0, i.indexrelid)
            )
    END AS is_built,
    i.indnkeyatts::int8 AS keys,
    i.indkey::text AS columns,
    CASE
        WHEN i.indisunique AND NOT i.indisvalid AND NOT 0 = ANY(i.indkey::int2[])
            THEN (
                SELECT pg_catalog.array_agg(ka.attname::text ORDER BY u.at)
                FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS u (attnum, at)
                INNER JOIN pg_catalog.pg_attribute AS ka ON ka.attrelid = i.indrelid AND ka.attnum = u.attnum
                WHERE u.at <= i.indnkeyatts
            )
    END AS names,
    -- Arrays of numbers with a space between them, which are taken apart by whoever reads them.
    i.indclass::text AS classes,
    i.indcollation::text AS collations,
    i.indoption::text AS options,
    i.indexprs::text AS expressions,
    i.indpred::text AS condition,
    c.relpages::int8 * pg_catalog.current_setting('block_size')::int8 AS bytes,
    COALESCE(pg_catalog.pg_stat_get_numscans(i.indexrelid), 0)::int8 AS scans
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_namespace AS cn ON cn.oid = c.relnamespace
INNER JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
LEFT JOIN owners AS o ON o.reltoastrelid = t.oid AND t.relkind = 't' AND NOT i.indisvalid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = COALESCE(o.relnamespace, t.relnamespace)
INNER JOIN pg_catalog.pg_am AS a ON a.oid = c.relam
LEFT JOIN pg_catalog.pg_inherits AS p ON p.inhrelid = i.indexrelid
LEFT JOIN needed AS d ON d.oid = i.indexrelid
WHERE
    (t.relkind IN ('r', 'm', 'p') OR o.oid IS NOT NULL)
    AND t.relpersistence <> 't'
    AND n.nspname <> 'information_schema'
    AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
    AND (NOT $1 OR t.relkind = 'p' OR t.relispartition OR t.oid IN (SELECT idle.oid FROM idle))

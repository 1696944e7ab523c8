-- Which tables are over the thresholds of autovacuum, have it switched off, or were never analyzed?
-- Server: 14.
-- Rights: none.
WITH
counted AS (
    SELECT
        pg_catalog.format('%I.%I', n.nspname, c.relname) AS relation,
        GREATEST(c.reltuples, 0)::float8 AS tuples,
        -- From 18 on what is frozen does not count towards the threshold of inserts.
        CASE WHEN c.relpages > 0 THEN 1 - LEAST(COALESCE(c.frozen, 0)::float8 / c.relpages, 1) ELSE 1 END AS unfrozen,
        c.relpages::int8 * pg_catalog.current_setting('block_size')::int8 AS bytes,
        COALESCE(pg_catalog.pg_stat_get_dead_tuples(c.oid), 0) AS dead,
        COALESCE(pg_catalog.pg_stat_get_ins_since_vacuum(c.oid), 0) AS inserted,
        -- ANALYZE passes over the table that it writes.
        CASE
            WHEN c.oid = 'pg_catalog.pg_statistic'::pg_catalog.regclass THEN 0
            ELSE COALESCE(pg_catalog.pg_stat_get_mod_since_analyze(c.oid), 0)
        END AS modified,
        c.reltuples < 0
        AND COALESCE(pg_catalog.pg_stat_get_analyze_count(c.oid), 0) = 0
        AND COALESCE(pg_catalog.pg_stat_get_autoanalyze_count(c.oid), 0) = 0 AS unanalyzed,
        GREATEST(pg_catalog.pg_stat_get_last_vacuum_time(c.oid), pg_catalog.pg_stat_get_last_autovacuum_time(c.oid)) AS vacuumed,
        GREATEST(pg_catalog.pg_stat_get_last_analyze_time(c.oid), pg_catalog.pg_stat_get_last_autoanalyze_time(c.oid)) AS analyzed,
        (
            SELECT pg_catalog.jsonb_object_agg(o.option_name, o.option_value)
            FROM pg_catalog.pg_options_to_table(c.reloptions) AS o
        ) AS options
    FROM (VALUES (NULL::int4)) AS before_18 (relallfrozen)
    -- The column of pg_class where it has one, else that of before_18: the inner name goes first.
    CROSS JOIN LATERAL (SELECT k.*, relallfrozen AS frozen FROM pg_catalog.pg_class AS k) AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
),

limited AS (
    SELECT
        t.*,
        COALESCE((t.options ->> 'autovacuum_enabled')::bool, TRUE) AS enabled,
        COALESCE(t.options ->> 'autovacuum_vacuum_threshold', pg_catalog.current_setting('autovacuum_vacuum_threshold'))::float8
        + COALESCE(t.options ->> 'autovacuum_vacuum_scale_factor', pg_catalog.current_setting('autovacuum_vacuum_scale_factor'))::float8
        * t.tuples AS vacuum_at,
        COALESCE(
            t.options ->> 'autovacuum_vacuum_max_threshold', pg_catalog.current_setting('autovacuum_vacuum_max_threshold', TRUE), '-1'
        )::float8 AS vacuum_most,
        COALESCE(t.options ->> 'autovacuum_vacuum_insert_threshold', pg_catalog.current_setting('autovacuum_vacuum_insert_threshold'))::float8
        AS insert_base,
        COALESCE(
            t.options ->> 'autovacuum_vacuum_insert_scale_factor', pg_catalog.current_setting('autovacuum_vacuum_insert_scale_factor')
        )::float8 * t.tuples * t.unfrozen AS insert_more,
        COALESCE(t.options ->> 'autovacuum_analyze_threshold', pg_catalog.current_setting('autovacuum_analyze_threshold'))::float8
        + COALESCE(t.options ->> 'autovacuum_analyze_scale_factor', pg_catalog.current_setting('autovacuum_analyze_scale_factor'))::float8
        * t.tuples AS analyze_at
    FROM counted AS t
),

judged AS (
    SELECT
        l.*,
        l.dead / GREATEST(CASE WHEN l.vacuum_most >= 0 THEN LEAST(l.vacuum_at, l.vacuum_most) ELSE l.vacuum_at END, 1) AS vacuum_ratio,
        -- A negative threshold switches vacuum for inserts off.
        CASE WHEN l.insert_base >= 0 THEN l.inserted / GREATEST(l.insert_base + l.insert_more, 1) ELSE 0 END AS insert_ratio,
        l.modified / GREATEST(l.analyze_at, 1) AS analyze_ratio
    FROM limited AS l
)

SELECT
    j.relation,
    j.enabled,
    j.unanalyzed AND j.modified > 50 AS never_analyzed,
    j.dead,
    j.inserted,
    j.modified,
    j.vacuum_ratio::float8 AS vacuum_ratio,
    j.insert_ratio::float8 AS insert_ratio,
    j.analyze_ratio::float8 AS analyze_ratio,
    j.bytes,
    pg_catalog.date_part('epoch', pg_catalog.now() - j.vacuumed)::float8 AS vacuumed_seconds,
    pg_catalog.date_part('epoch', pg_catalog.now() - j.analyzed)::float8 AS analyzed_seconds
FROM judged AS j
WHERE
    GREATEST(j.vacuum_ratio, j.insert_ratio, j.analyze_ratio) > 1
    OR NOT j.enabled
    OR (j.unanalyzed AND j.modified > 50)
ORDER BY GREATEST(j.vacuum_ratio, j.insert_ratio, j.analyze_ratio) DESC, j.relation
LIMIT 500

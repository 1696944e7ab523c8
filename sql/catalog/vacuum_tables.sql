-- How does every table stand against the thresholds of vacuum and analyze that hold for it, its TOAST table included?
-- Server: 14.
-- Rights: none.
WITH
settings AS (
    SELECT
        pg_catalog.current_setting('autovacuum_vacuum_threshold')::float8 AS vacuum_base,
        pg_catalog.current_setting('autovacuum_vacuum_scale_factor')::float8 AS vacuum_more,
        COALESCE(pg_catalog.current_setting('autovacuum_vacuum_max_threshold', TRUE), '-1')::float8 AS vacuum_most,
        pg_catalog.current_setting('autovacuum_vacuum_insert_threshold')::float8 AS insert_base,
        pg_catalog.current_setting('autovacuum_vacuum_insert_scale_factor')::float8 AS insert_more,
        pg_catalog.current_setting('autovacuum_analyze_threshold')::float8 AS analyze_base,
        pg_catalog.current_setting('autovacuum_analyze_scale_factor')::float8 AS analyze_more,
        pg_catalog.current_setting('autovacuum_freeze_max_age')::int8 AS xid_most,
        pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::int8 AS mxid_most,
        pg_catalog.current_setting('block_size')::int8 AS block
),

options AS (
    SELECT c.oid, pg_catalog.jsonb_object_agg(o.option_name, o.option_value) AS given
    FROM pg_catalog.pg_class AS c
    CROSS JOIN LATERAL pg_catalog.pg_options_to_table(c.reloptions) AS o
    WHERE c.relkind IN ('r', 'm', 't') AND c.reloptions IS NOT NULL
    GROUP BY c.oid
),

counted AS (
    SELECT
        c.oid,
        GREATEST(c.reltuples, 0)::float8 AS tuples,
        COALESCE(pg_catalog.pg_stat_get_dead_tuples(c.oid), 0) AS dead,
        COALESCE((o.given ->> 'autovacuum_enabled')::bool, TRUE) AS enabled,
        COALESCE((o.given ->> 'autovacuum_vacuum_threshold')::float8, s.vacuum_base)
        + COALESCE((o.given ->> 'autovacuum_vacuum_scale_factor')::float8, s.vacuum_more) * GREATEST(c.reltuples, 0) AS vacuum_at,
        COALESCE((o.given ->> 'autovacuum_vacuum_max_threshold')::float8, s.vacuum_most) AS vacuum_most,
        COALESCE((o.given ->> 'autovacuum_vacuum_insert_threshold')::float8, s.insert_base) AS insert_base,
        COALESCE((o.given ->> 'autovacuum_vacuum_insert_scale_factor')::float8, s.insert_more) * GREATEST(c.reltuples, 0) AS insert_more,
        COALESCE((o.given ->> 'autovacuum_analyze_threshold')::float8, s.analyze_base)
        + COALESCE((o.given ->> 'autovacuum_analyze_scale_factor')::float8, s.analyze_more) * GREATEST(c.reltuples, 0) AS analyze_at,
        CASE WHEN c.relfrozenxid::text <> '0' THEN pg_catalog.age(c.relfrozenxid)::int8 END AS xid_age,
        CASE WHEN c.relminmxid::text <> '0' THEN pg_catalog.mxid_age(c.relminmxid)::int8 END AS mxid_age,
        LEAST((o.given ->> 'autovacuum_freeze_max_age')::int8, s.xid_most) AS xid_most,
        LEAST((o.given ->> 'autovacuum_multixact_freeze_max_age')::int8, s.mxid_most) AS mxid_most,
        c.relpages::int8 * s.block AS bytes
    FROM pg_catalog.pg_class AS c
    CROSS JOIN settings AS s
    LEFT JOIN options AS o ON o.oid = c.oid
    WHERE c.relkind IN ('r', 'm', 't', 'p') AND c.relpersistence <> 't'
),

judged AS (
    SELECT
        t.*,
        GREATEST(CASE WHEN t.vacuum_most >= 0 THEN LEAST(t.vacuum_at, t.vacuum_most) ELSE t.vacuum_at END, 1) AS dead_most,
        -- A negative threshold switches vacuum for inserts off.
        CASE WHEN t.insert_base >= 0 THEN GREATEST(t.insert_base + t.insert_more, 1) END AS inserted_most
    FROM counted AS t
)

SELECT
    c.oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relkind = 'p' AS parent,
    i.inhparent AS part_of,
    j.tuples AS tuples,
    c.reltuples < 0 AS uncounted,
    j.bytes + COALESCE(x.bytes, 0) AS bytes,
    j.enabled,
    j.dead,
    j.dead_most::float8 AS dead_most,
    COALESCE(x.dead, 0) AS toast_dead,
    COALESCE(x.dead_most, 1)::float8 AS toast_dead_most,
    COALESCE(pg_catalog.pg_stat_get_ins_since_vacuum(c.oid), 0) AS inserted,
    j.inserted_most::float8 AS inserted_most,
    COALESCE(pg_catalog.pg_stat_get_mod_since_analyze(c.oid), 0) AS modified,
    GREATEST(j.analyze_at, 1)::float8 AS modified_most,
    GREATEST(j.xid_age, x.xid_age) AS xid_age,
    GREATEST(j.mxid_age, x.mxid_age) AS mxid_age,
    LEAST(j.xid_most, x.xid_most) AS xid_most,
    LEAST(j.mxid_most, x.mxid_most) AS mxid_most,
    c.relpages::int8 AS pages,
    c.relallvisible::int8 AS visible_pages,
    (pg_catalog.to_jsonb(c) ->> 'relallfrozen')::int8 AS frozen_pages,
    COALESCE(pg_catalog.pg_stat_get_analyze_count(c.oid), 0) + COALESCE(pg_catalog.pg_stat_get_autoanalyze_count(c.oid), 0) = 0
    AS unanalyzed,
    pg_catalog.date_part(
        'epoch',
        pg_catalog.clock_timestamp()
        - GREATEST(pg_catalog.pg_stat_get_last_vacuum_time(c.oid), pg_catalog.pg_stat_get_last_autovacuum_time(c.oid))
    )::float8 AS vacuumed_seconds,
    (SELECT pg_catalog.min(p.pid) FROM pg_catalog.pg_stat_progress_vacuum AS p WHERE p.relid IN (c.oid, c.reltoastrelid)) AS vacuumed_by,
    n.nspname = 'pg_catalog' AS catalog,
    pg_catalog.pg_has_role(c.relowner, 'USAGE')
    OR (
        NOT c.relisshared AND (SELECT pg_catalog.pg_has_role(d.datdba, 'USAGE') FROM pg_catalog.pg_database AS d
        WHERE d.datname = pg_catalog.current_database())
    )
    OR CASE
        WHEN pg_catalog.current_setting('server_version_num')::int4 >= 170000
            THEN pg_catalog.has_table_privilege(c.oid, 'MAINTAIN')
        ELSE FALSE
    END AS permitted
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN judged AS j ON j.oid = c.oid
LEFT JOIN judged AS x ON x.oid = c.reltoastrelid
LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid AND c.relispartition
WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname <> 'information_schema'
ORDER BY c.oid

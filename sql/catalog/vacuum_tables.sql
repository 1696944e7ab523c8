-- How do these ($1) tables, or all, stand against the thresholds of vacuum and analyze that hold for them and their TOAST tables?
-- Server: 14.
-- Rights: none.
-- With $2 those are left out of which nothing can be due, unless by an age of so many transactions: nothing has changed in
-- them, they are young, and no partitioned table is reckoned from them.
WITH
-- Asked for once, not for each table.
settings AS MATERIALIZED (
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
        pg_catalog.current_setting('block_size')::int8 AS block,
        pg_catalog.current_setting('server_version_num')::int4 >= 170000 AS maintain,
        (
            SELECT pg_catalog.pg_has_role(d.datdba, 'USAGE') FROM pg_catalog.pg_database AS d
            WHERE d.datname = pg_catalog.current_database()
        ) AS owns_database
),

vacuums AS MATERIALIZED (
    SELECT p.relid, pg_catalog.min(p.pid) AS pid
    FROM pg_catalog.pg_stat_progress_vacuum AS p
    GROUP BY p.relid
),

restless AS MATERIALIZED (
    SELECT c.oid
    FROM pg_catalog.pg_class AS c
    CROSS JOIN settings AS s
    WHERE $2::int8 IS NOT NULL AND c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't'
        AND (
            c.reloptions IS NOT NULL
            OR pg_catalog.pg_stat_get_dead_tuples(c.oid) > 0
            -- TOAST tables are not analyzed, and are vacuumed for inserts with their tables.
            OR c.relkind <> 't'
            AND (pg_catalog.pg_stat_get_mod_since_analyze(c.oid) > 0 OR pg_catalog.pg_stat_get_ins_since_vacuum(c.oid) > 0)
            OR c.relfrozenxid <> '0' AND pg_catalog.age(c.relfrozenxid) >= LEAST(s.xid_most / 2, $2)
            OR c.relminmxid <> '0' AND pg_catalog.mxid_age(c.relminmxid) >= s.mxid_most / 2
        )
),

kept AS MATERIALIZED (
    SELECT c.oid, c.reltoastrelid
    FROM pg_catalog.pg_class AS c
    WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND ($1::oid[] IS NULL OR c.oid = ANY ($1))
        AND (
            $2::int8 IS NULL OR c.relkind = 'p' OR c.relispartition
            OR c.oid IN (SELECT r.oid FROM restless AS r)
            OR c.reltoastrelid IN (SELECT r.oid FROM restless AS r)
        )
),

counted AS MATERIALIZED (
    SELECT
        c.oid,
        c.relnamespace,
        c.relname,
        c.relkind,
        c.relispartition,
        c.reltoastrelid,
        c.relowner,
        c.relisshared,
        c.reltuples,
        c.relpages,
        c.relallvisible,
        GREATEST(c.reltuples, 0)::float8 AS tuples,
        -- From 18 on what is frozen does not count towards the threshold of inserts.
        CASE WHEN c.relpages > 0 THEN 1 - LEAST(COALESCE(c.frozen, 0)::float8 / c.relpages, 1) ELSE 1 END AS unfrozen,
        COALESCE(pg_catalog.pg_stat_get_dead_tuples(c.oid), 0) AS dead,
        CASE WHEN c.relfrozenxid <> '0' THEN pg_catalog.age(c.relfrozenxid)::int8 END AS xid_age,
        CASE WHEN c.relminmxid <> '0' THEN pg_catalog.mxid_age(c.relminmxid)::int8 END AS mxid_age,
        -- Most have none, and those that have some are few.
        CASE WHEN c.reloptions IS NOT NULL THEN (
            SELECT pg_catalog.jsonb_object_agg(o.option_name, o.option_value) FROM pg_catalog.pg_options_to_table(c.reloptions) AS o
        ) END AS given
    FROM (VALUES (NULL::int4)) AS before_18 (relallfrozen)
    -- The column of pg_class where it has one, else that of before_18: the inner name goes first.
    CROSS JOIN LATERAL (SELECT k.*, relallfrozen AS frozen FROM pg_catalog.pg_class AS k) AS c
    WHERE c.oid IN (SELECT k.oid FROM kept AS k UNION ALL SELECT k.reltoastrelid FROM kept AS k)
),

judged AS (
    SELECT
        t.*,
        t.relpages::int8 * s.block AS bytes,
        COALESCE((t.given ->> 'autovacuum_enabled')::bool, TRUE) AS enabled,
        COALESCE((t.given ->> 'autovacuum_vacuum_threshold')::float8, s.vacuum_base)
        + COALESCE((t.given ->> 'autovacuum_vacuum_scale_factor')::float8, s.vacuum_more) * t.tuples AS vacuum_at,
        COALESCE((t.given ->> 'autovacuum_vacuum_max_threshold')::float8, s.vacuum_most) AS vacuum_most,
        COALESCE((t.given ->> 'autovacuum_vacuum_insert_threshold')::float8, s.insert_base) AS insert_base,
        COALESCE((t.given ->> 'autovacuum_vacuum_insert_scale_factor')::float8, s.insert_more) * t.tuples * t.unfrozen AS insert_more,
        COALESCE((t.given ->> 'autovacuum_analyze_threshold')::float8, s.analyze_base)
        + COALESCE((t.given ->> 'autovacuum_analyze_scale_factor')::float8, s.analyze_more) * t.tuples AS analyze_at,
        LEAST((t.given ->> 'autovacuum_freeze_max_age')::int8, s.xid_most) AS xid_most,
        LEAST((t.given ->> 'autovacuum_multixact_freeze_max_age')::int8, s.mxid_most) AS mxid_most
    FROM counted AS t
    CROSS JOIN settings AS s
),

limited AS (
    SELECT
        j.*,
        GREATEST(CASE WHEN j.vacuum_most >= 0 THEN LEAST(j.vacuum_at, j.vacuum_most) ELSE j.vacuum_at END, 1)::float8 AS dead_most
    FROM judged AS j
)

SELECT
    c.oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relkind = 'p' AS parent,
    i.inhparent AS part_of,
    c.tuples,
    c.reltuples < 0 AS uncounted,
    c.bytes + COALESCE(x.bytes, 0) AS bytes,
    c.enabled,
    c.dead,
    c.dead_most,
    COALESCE(x.dead, 0) AS toast_dead,
    COALESCE(x.dead_most, 1)::float8 AS toast_dead_most,
    COALESCE(pg_catalog.pg_stat_get_ins_since_vacuum(c.oid), 0) AS inserted,
    -- A negative threshold switches vacuum for inserts off.
    CASE WHEN c.insert_base >= 0 THEN GREATEST(c.insert_base + c.insert_more, 1) END::float8 AS inserted_most,
    COALESCE(pg_catalog.pg_stat_get_mod_since_analyze(c.oid), 0) AS modified,
    GREATEST(c.analyze_at, 1)::float8 AS modified_most,
    GREATEST(c.xid_age, x.xid_age) AS xid_age,
    GREATEST(c.mxid_age, x.mxid_age) AS mxid_age,
    LEAST(c.xid_most, x.xid_most) AS xid_most,
    LEAST(c.mxid_most, x.mxid_most) AS mxid_most,
    c.relpages::int8 AS pages,
    c.relallvisible::int8 AS visible_pages,
    COALESCE(pg_catalog.pg_stat_get_analyze_count(c.oid), 0) + COALESCE(pg_catalog.pg_stat_get_autoanalyze_count(c.oid), 0) = 0
    AS unanalyzed,
    pg_catalog.date_part(
        'epoch',
        pg_catalog.clock_timestamp()
        - GREATEST(pg_catalog.pg_stat_get_last_vacuum_time(c.oid), pg_catalog.pg_stat_get_last_autovacuum_time(c.oid))
    )::float8 AS vacuumed_seconds,
    LEAST(v.pid, y.pid) AS vacuumed_by,
    n.nspname = 'pg_catalog' AS catalog,
    pg_catalog.pg_has_role(c.relowner, 'USAGE')
    OR (NOT c.relisshared AND s.owns_database)
    OR CASE WHEN s.maintain THEN pg_catalog.has_table_privilege(c.oid, 'MAINTAIN') ELSE FALSE END AS permitted
FROM limited AS c
CROSS JOIN settings AS s
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN limited AS x ON x.oid = c.reltoastrelid AND x.relkind = 't'
LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid AND c.relispartition
LEFT JOIN vacuums AS v ON v.relid = c.oid
LEFT JOIN vacuums AS y ON y.relid = c.reltoastrelid
WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname <> 'information_schema'
ORDER BY c.oid

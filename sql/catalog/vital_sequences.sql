-- How much of their numbers have the sequences used, by their own limit and by the type of the column they fill?
-- Server: 14.
-- Rights: SELECT or USAGE on the sequences.
WITH
fills AS (
    SELECT
        d.objid AS sequence,
        d.refobjid AS relation,
        d.refobjsubid AS attnum
    FROM pg_catalog.pg_depend AS d
    WHERE
        d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refobjsubid > 0
        AND d.deptype IN ('a', 'i')
    UNION
    SELECT
        d.refobjid,
        a.adrelid,
        a.adnum
    FROM pg_catalog.pg_depend AS d
    INNER JOIN pg_catalog.pg_attrdef AS a ON a.oid = d.objid
    WHERE
        d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
),

narrowest AS (
    SELECT DISTINCT ON (f.sequence)
        f.sequence,
        pg_catalog.format('%I.%I.%I', n.nspname, c.relname, t.attname) AS fills,
        CASE t.atttypid
            WHEN 'pg_catalog.int2'::pg_catalog.regtype THEN 32767
            WHEN 'pg_catalog.int4'::pg_catalog.regtype THEN 2147483647
            ELSE 9223372036854775807
        END AS most
    FROM fills AS f
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = f.relation
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    INNER JOIN pg_catalog.pg_attribute AS t ON t.attrelid = f.relation AND t.attnum = f.attnum
    ORDER BY f.sequence, most, 2
),

listed AS (
    SELECT
        pg_catalog.format('%I.%I', n.nspname, c.relname) AS sequence,
        w.fills,
        s.seqincrement > 0 AS ascends,
        s.seqcycle AS cycles,
        LEAST(s.seqmax, COALESCE(w.most, 9223372036854775807))::int8 AS most,
        s.seqmin AS least,
        h.readable,
        -- Reading a sequence locks it: not while somebody has it for himself.
        CASE WHEN h.readable THEN pg_catalog.pg_sequence_last_value(c.oid) END AS last
    FROM pg_catalog.pg_sequence AS s
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN narrowest AS w ON w.sequence = c.oid
    CROSS JOIN LATERAL (
        SELECT
            pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE')
            -- An unlogged one is not there on a standby.
            AND NOT (pg_catalog.pg_is_in_recovery() AND c.relpersistence = 'u')
            AND NOT EXISTS (
                SELECT
                FROM pg_catalog.pg_locks AS l
                WHERE l.relation = c.oid AND l.mode = 'AccessExclusiveLock' AND l.locktype = 'relation'
                    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
            ) AS readable
    ) AS h
    WHERE c.relpersistence <> 't'
)

SELECT
    l.sequence,
    l.fills,
    l.last,
    CASE WHEN l.ascends THEN l.most ELSE l.least END AS most,
    l.cycles,
    l.readable,
    CASE
        WHEN NOT l.readable THEN NULL
        WHEN l.last IS NULL THEN 0
        WHEN l.ascends AND l.most > 0 THEN 100 * GREATEST(l.last, 0)::float8 / l.most
        WHEN NOT l.ascends AND l.least < 0 THEN 100 * LEAST(l.last, 0)::float8 / l.least
        ELSE 0
    END AS used_percent
FROM listed AS l
ORDER BY used_percent DESC NULLS LAST, l.sequence

-- Which indexes sort by a collation that was made with another version of its library than the one that is there?
-- Server: 14.
-- Rights: none.
-- $1 says why where that of the database itself (in the catalog that is 100) is another, and is NULL where it is not.
-- A column's own collation does not tell all: range and composite types, arrays and domains of them have theirs inside,
-- and so have expressions and predicates, in the text of which each operation names its own.
WITH RECURSIVE changed AS MATERIALIZED (
    SELECT
        c.oid,
        pg_catalog.format(
            'collation %I.%I was of version %s and is now %s',
            n.nspname, c.collname, c.collversion, pg_catalog.pg_collation_actual_version(c.oid)
        ) AS why
    FROM pg_catalog.pg_collation AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
    WHERE
        c.collversion IS NOT NULL
        AND c.collprovider <> 'd'
        AND c.collencoding IN (
            -1, (SELECT d.encoding FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
        )
        AND c.collversion <> pg_catalog.pg_collation_actual_version(c.oid)
    UNION ALL
    SELECT 100::oid, $1::text
    WHERE $1::text IS NOT NULL
),
types (oid, why) AS (
    SELECT y.oid, y.why
    FROM changed AS x
    CROSS JOIN LATERAL (
        SELECT r.rngtypid AS oid, x.why
        FROM pg_catalog.pg_range AS r
        WHERE r.rngcollation = x.oid
        UNION ALL
        SELECT c.reltype, x.why
        FROM pg_catalog.pg_attribute AS a
        INNER JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid AND c.reltype <> 0
        WHERE a.attcollation = x.oid AND a.attnum > 0 AND NOT a.attisdropped
            -- The rows of a system table are in no index.
            AND c.oid::int8 >= 16384
    ) AS y
    UNION
    SELECT y.oid, t.why
    FROM types AS t
    CROSS JOIN LATERAL (
        SELECT r.rngtypid AS oid
        FROM pg_catalog.pg_range AS r
        WHERE r.rngsubtype = t.oid
        UNION ALL
        SELECT r.rngmultitypid
        FROM pg_catalog.pg_range AS r
        WHERE r.rngtypid = t.oid
        UNION ALL
        SELECT d.oid
        FROM pg_catalog.pg_type AS d
        WHERE d.typbasetype = t.oid OR (d.typelem = t.oid AND d.typcategory = 'A')
        UNION ALL
        SELECT c.reltype
        FROM pg_catalog.pg_attribute AS a
        INNER JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid AND c.reltype <> 0
        WHERE a.atttypid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.oid::int8 >= 16384
    ) AS y
)
SELECT
    f.oid,
    pg_catalog.min(f.why) AS why
FROM (
    SELECT i.indexrelid AS oid, x.why
    FROM changed AS x
    INNER JOIN pg_catalog.pg_index AS i
        ON
            x.oid = ANY(i.indcollation::oid[])
            OR pg_catalog.concat(i.indexprs::text, i.indpred::text) LIKE pg_catalog.format('%%collid %s %%', x.oid)
            OR EXISTS (
                SELECT
                FROM pg_catalog.pg_depend AS d
                WHERE
                    d.classid = 'pg_catalog.pg_class'::regclass
                    AND d.objid = i.indexrelid
                    AND d.refclassid = 'pg_catalog.pg_collation'::regclass
                    AND d.refobjid = x.oid
            )
    UNION ALL
    SELECT i.indexrelid, t.why
    FROM types AS t
    INNER JOIN pg_catalog.pg_attribute AS a ON a.atttypid = t.oid
    INNER JOIN pg_catalog.pg_index AS i ON i.indexrelid = a.attrelid
) AS f
GROUP BY f.oid
ORDER BY f.oid

-- Which materialized views hold rows, those first that others read?
-- Server: 14.
-- Rights: none.
WITH RECURSIVE reads (view, of) AS (
    SELECT DISTINCT
        w.ev_class,
        d.refobjid
    FROM pg_catalog.pg_rewrite AS w
    INNER JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_rewrite'::REGCLASS
        AND d.objid = w.oid
        AND d.refclassid = 'pg_catalog.pg_class'::REGCLASS
        AND d.refobjid <> w.ev_class
    INNER JOIN pg_catalog.pg_class AS r ON r.oid = d.refobjid
    WHERE r.relkind IN ('v', 'm')
),
below (view, of) AS (
    SELECT view, of
    FROM reads
    UNION
    SELECT
        b.view,
        r.of
    FROM below AS b
    INNER JOIN reads AS r ON r.view = b.of
)
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend AS e
    ON e.classid = 'pg_catalog.pg_class'::REGCLASS
    AND e.objid = c.oid
    AND e.deptype = 'e'
WHERE c.relkind = 'm'
  AND c.relispopulated
  AND e.objid IS NULL
-- What reads more of them comes later than any of those.
ORDER BY (
    SELECT pg_catalog.count(*)
    FROM below AS b
    INNER JOIN pg_catalog.pg_class AS r ON r.oid = b.of
    WHERE b.view = c.oid
      AND r.relkind = 'm'
), n.nspname, c.relname

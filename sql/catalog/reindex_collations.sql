-- Which indexes sort by a collation that was made with another version of its library than the one that is there?
-- Server: 14.
-- Rights: none.
-- The collation of the database itself is not asked for here.
WITH changed AS MATERIALIZED (
    SELECT
        c.oid,
        pg_catalog.format('%I.%I', n.nspname, c.collname) AS name,
        c.collversion AS recorded,
        pg_catalog.pg_collation_actual_version(c.oid) AS actual
    FROM pg_catalog.pg_collation AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
    WHERE
        c.collversion IS NOT NULL
        AND c.collprovider <> 'd'
        AND c.collencoding IN (
            -1, (SELECT d.encoding FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
        )
        AND c.collversion <> pg_catalog.pg_collation_actual_version(c.oid)
)
SELECT
    i.indexrelid AS oid,
    pg_catalog.min(pg_catalog.format('collation %s was of version %s and is now %s', x.name, x.recorded, x.actual)) AS why
FROM changed AS x
INNER JOIN pg_catalog.pg_index AS i
    ON
        x.oid = ANY(i.indcollation::oid[])
        OR EXISTS (
            SELECT
            FROM pg_catalog.pg_depend AS d
            WHERE
                d.classid = 'pg_catalog.pg_class'::regclass
                AND d.objid = i.indexrelid
                AND d.refclassid = 'pg_catalog.pg_collation'::regclass
                AND d.refobjid = x.oid
        )
GROUP BY i.indexrelid
ORDER BY i.indexrelid

-- How large are these relations (oids $1), as the last VACUUM or ANALYZE of each has noted?
-- Server: 14.
-- Rights: none.
-- pg_relation_size would wait for whoever holds a table exclusively; this waits for nobody.
SELECT
    c.oid,
    CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END AS rows,
    CASE
        WHEN c.relkind IN ('r', 'm') AND (c.reltuples >= 0 OR c.relpages > 0) THEN
            (
                c.relpages::int8
                + COALESCE(t.relpages, 0)
                + (
                    SELECT COALESCE(pg_catalog.sum(xc.relpages), 0)::int8
                    FROM pg_catalog.pg_index AS x
                    INNER JOIN pg_catalog.pg_class AS xc ON xc.oid = x.indexrelid
                    WHERE x.indrelid IN (c.oid, c.reltoastrelid)
                )
            ) * pg_catalog.current_setting('block_size')::int8
    END AS bytes
FROM pg_catalog.pg_class AS c
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
WHERE c.oid = ANY ($1)

-- Which tables have rows of their own, and may this role read all of them?
-- Server: 14.
-- Rights: none.
SELECT
    c.oid,
    n.nspname::TEXT AS schema,
    c.relname::TEXT AS name,
    c.relkind::TEXT AS kind,
    c.relpersistence::TEXT AS persistence,
    pg_catalog.int8mul(c.relpages, pg_catalog.current_setting('block_size')::INT8) AS heap_bytes,
    (
        SELECT COALESCE(pg_catalog.array_agg(a.attname::TEXT ORDER BY a.attnum), '{}')
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = c.oid
          AND a.attnum > 0
          AND NOT a.attisdropped
          AND a.attgenerated = ''
    ) AS columns,
    NULLIF(x.extcondition[pg_catalog.array_position(x.extconfig, c.oid)], '') AS condition,
    pg_catalog.row_security_active(c.oid) AS hides_rows,
    pg_catalog.has_table_privilege(c.oid, 'SELECT') AS may_read,
    -- The hash of a row may be another one on another server: such rows go in through the root.
    CASE
        WHEN c.relispartition AND EXISTS (
            SELECT
            FROM pg_catalog.pg_partition_ancestors(c.oid) AS up
            INNER JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid = up.relid
            WHERE p.partstrat = 'h'
        )
        THEN rn.nspname::TEXT
    END AS root_schema,
    r.relname::TEXT AS root_name
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend AS d
    ON d.classid = 'pg_catalog.pg_class'::REGCLASS
    AND d.objid = c.oid
    AND d.objsubid = 0
    AND d.refclassid = 'pg_catalog.pg_extension'::REGCLASS
    AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension AS x ON x.oid = d.refobjid
LEFT JOIN pg_catalog.pg_class AS r ON c.relispartition AND r.oid = pg_catalog.pg_partition_root(c.oid)
LEFT JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
WHERE c.relkind IN ('r', 'f')
  AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\_toast%'
  AND n.nspname NOT LIKE 'pg\_temp\_%'
  -- What an extension makes by itself is made again by it; only what its user put in is a part of a backup.
  AND (x.oid IS NULL OR c.oid = ANY (x.extconfig))
ORDER BY n.nspname, c.relname

-- Which tables have rows of their own, and may this role read all of them?
-- Server: 14.
-- Rights: none.
WITH RECURSIVE
-- Types that send and receive themselves alike on all majors and platforms, whatever the settings. An interval does not:
-- below 17 what stands for infinity is a number.
simple AS (
    SELECT t.oid, t.typarray
    FROM pg_catalog.pg_type AS t
    WHERE t.typnamespace = 'pg_catalog'::REGNAMESPACE
      AND t.typname IN (
          'bit', 'bool', 'bpchar', 'bytea', 'char', 'cidr', 'date', 'float4', 'float8', 'inet', 'int2', 'int4', 'int8',
          'json', 'jsonb', 'macaddr', 'macaddr8', 'money', 'name', 'numeric', 'oid', 'text', 'time',
          'timestamp', 'timestamptz', 'timetz', 'uuid', 'varbit', 'varchar'
      )
),
portable AS (
    SELECT s.oid, FALSE AS is_array FROM simple AS s
    UNION ALL
    SELECT s.typarray, TRUE FROM simple AS s WHERE s.typarray <> 0
    UNION ALL
    -- By its label.
    SELECT t.oid, FALSE FROM pg_catalog.pg_type AS t WHERE t.typtype = 'e'
    UNION ALL
    SELECT t.oid, FALSE
    FROM pg_catalog.pg_extension AS x
    INNER JOIN pg_catalog.pg_depend AS d
        ON d.refclassid = 'pg_catalog.pg_extension'::REGCLASS
        AND d.refobjid = x.oid
        AND d.classid = 'pg_catalog.pg_type'::REGCLASS
        AND d.deptype = 'e'
    INNER JOIN pg_catalog.pg_type AS t ON t.oid = d.objid
    WHERE x.extname = 'vector' AND t.typname IN ('vector', 'halfvec')
),
-- A domain is what it is based on.
based AS (
    SELECT p.oid, p.is_array FROM portable AS p
    UNION ALL
    SELECT t.oid, b.is_array
    FROM based AS b
    INNER JOIN pg_catalog.pg_type AS t ON t.typbasetype = b.oid
    WHERE t.typtype = 'd'
),
-- Text would be converted, or be no text.
found AS MATERIALIZED (
    SELECT
        pg_catalog.array_agg(b.oid) AS types,
        COALESCE(pg_catalog.array_agg(b.oid) FILTER (WHERE b.is_array), '{}') AS arrays
    FROM based AS b
    WHERE pg_catalog.getdatabaseencoding() = 'UTF8'
)
SELECT
    c.oid,
    n.nspname::TEXT AS schema,
    c.relname::TEXT AS name,
    c.relkind::TEXT AS kind,
    c.relpersistence::TEXT AS persistence,
    pg_catalog.int8mul(c.relpages, pg_catalog.current_setting('block_size')::INT8) AS heap_bytes,
    COALESCE(a.columns, '{}') AS columns,
    COALESCE(a.are_portable, FALSE) AS are_portable,
    COALESCE(a.are_arrays, '{}') AS are_arrays,
    x.extcondition[pg_catalog.array_position(x.extconfig, c.oid)] AS condition,
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
CROSS JOIN LATERAL (
    -- In the root's order: a row that goes in through it must be the same row in whichever partition it is found.
    SELECT
        pg_catalog.array_agg(a.attname::TEXT ORDER BY ra.attnum, a.attnum) AS columns,
        pg_catalog.bool_and(a.atttypid = ANY (f.types)) AS are_portable,
        pg_catalog.array_agg(a.atttypid = ANY (f.arrays) ORDER BY ra.attnum, a.attnum) AS are_arrays
    FROM pg_catalog.pg_attribute AS a
    CROSS JOIN found AS f
    LEFT JOIN pg_catalog.pg_attribute AS ra ON ra.attrelid = r.oid AND ra.attname = a.attname
    WHERE a.attrelid = c.oid
      AND a.attnum > 0
      AND NOT a.attisdropped
      AND a.attgenerated = ''
) AS a
WHERE c.relkind IN ('r', 'f')
  AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\_toast%'
  AND n.nspname NOT LIKE 'pg\_temp\_%'
  -- What an extension makes by itself is made again by it; only what its user put in is a part of a backup.
  AND (x.oid IS NULL OR c.oid = ANY (x.extconfig))
ORDER BY n.nspname, c.relname

-- What columns do tables have; those of views and partitions that say more than their query or table?
-- Server: 14.
-- Rights: none.
-- Minor releases since November 2026 count versions of a column among its options, as pg_attver: nobody set that.
WITH relations AS MATERIALIZED (
    SELECT
        c.oid,
        n.nspname,
        c.relname,
        c.relkind,
        (
            SELECT i.inhparent
            FROM pg_catalog.pg_inherits AS i
            WHERE i.inhrelid = c.oid
              AND c.relispartition
        ) AS parent
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')
      AND n.nspname <> 'information_schema'
      AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
      AND NOT EXISTS (
          SELECT
          FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_class'::REGCLASS
            AND e.objid = c.oid
            AND e.deptype = 'e'
      )
      AND NOT EXISTS (
          SELECT
          FROM pg_catalog.pg_depend AS e
          WHERE c.relkind = 'c'
            AND e.classid = 'pg_catalog.pg_type'::REGCLASS
            AND e.objid = c.reltype
            AND e.deptype = 'e'
      )
),
identities AS MATERIALIZED (
    SELECT
        i.refobjid,
        i.refobjsubid,
        CASE WHEN (s.seqincrement, s.seqmin, s.seqcache, s.seqcycle) <> (1, 1, 1, FALSE)
              OR s.seqmax <> CASE s.seqtypid WHEN 'int2'::REGTYPE THEN 32767 WHEN 'int4'::REGTYPE THEN 2147483647 ELSE 9223372036854775807 END
        THEN pg_catalog.format('increment %s, from %s to %s, cache %s%s', s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
                          CASE WHEN s.seqcycle THEN ', cycle' END) END AS options
    FROM pg_catalog.pg_sequence AS s
    JOIN pg_catalog.pg_depend AS i
        ON i.classid = 'pg_catalog.pg_class'::REGCLASS AND i.objid = s.seqrelid AND i.deptype = 'i'
       AND i.refclassid = 'pg_catalog.pg_class'::REGCLASS
)
SELECT
    CASE r.relkind
        WHEN 'f' THEN 'foreign_table'
        WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized_view'
        WHEN 'c' THEN 'composite_type'
        ELSE 'table'
    END AS of_kind,
    r.nspname AS of_schema,
    r.relname AS of_name,
    CASE WHEN r.relkind = 'c' THEN 'attribute' ELSE 'column' END AS kind,
    a.attname AS name,
    CASE WHEN r.relkind NOT IN ('v', 'm') THEN pg_catalog.format_type(a.atttypid, a.atttypmod) END AS type,
    CASE WHEN a.attcollation <> t.typcollation AND r.relkind NOT IN ('v', 'm') THEN a.attcollation::REGCOLLATION::TEXT END AS collation,
    NULLIF(a.attnotnull, FALSE) AS not_null,
    CASE WHEN NOT k.convalidated THEN FALSE END AS validated,
    CASE WHEN k.connoinherit THEN TRUE END AS no_inherit,
    CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(f.adbin, f.adrelid) END AS "default",
    CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity,
    CASE WHEN a.attidentity <> '' AND r.parent IS NULL THEN i.options END AS identity_options,
    CASE a.attgenerated
        WHEN 's' THEN 'stored ' || pg_catalog.pg_get_expr(f.adbin, f.adrelid)
        WHEN 'v' THEN 'virtual ' || pg_catalog.pg_get_expr(f.adbin, f.adrelid)
    END AS generated,
    CASE
        WHEN a.attstorage = t.typstorage THEN NULL
        WHEN a.attstorage = 'p' THEN 'plain'
        WHEN a.attstorage = 'e' THEN 'external'
        WHEN a.attstorage = 'm' THEN 'main'
        WHEN a.attstorage = 'x' THEN 'extended'
    END AS storage,
    CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
    CASE WHEN a.attstattarget >= 0 THEN a.attstattarget::INT8 END AS statistics_target,
    CASE WHEN a.attoptions IS NOT NULL THEN (
        SELECT pg_catalog.array_agg(o.one) FROM pg_catalog.unnest(a.attoptions) AS o (one) WHERE NOT pg_catalog.starts_with(o.one, 'pg_attver=')
    ) END || a.attfdwoptions AS options,
    a.attacl::TEXT[] AS privileges,
    d.description AS comment
FROM relations AS r
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef AS f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
LEFT JOIN identities AS i ON i.refobjid = a.attrelid AND i.refobjsubid = a.attnum
LEFT JOIN pg_catalog.pg_constraint AS k
    ON k.conrelid = a.attrelid AND k.contype = 'n' AND (NOT k.convalidated OR k.connoinherit) AND k.conkey[1] = a.attnum
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = a.attrelid AND d.classoid = 'pg_catalog.pg_class'::REGCLASS AND d.objsubid = a.attnum
LEFT JOIN pg_catalog.pg_attribute AS p ON p.attrelid = r.parent AND p.attname = a.attname AND NOT p.attisdropped
LEFT JOIN pg_catalog.pg_attrdef AS pf ON pf.adrelid = p.attrelid AND pf.adnum = p.attnum
LEFT JOIN pg_catalog.pg_description AS pd
    ON pd.objoid = p.attrelid AND pd.classoid = 'pg_catalog.pg_class'::REGCLASS AND pd.objsubid = p.attnum
WHERE CASE
          WHEN r.relkind IN ('v', 'm') THEN
              f.adbin IS NOT NULL OR a.attacl IS NOT NULL OR d.description IS NOT NULL OR a.attstattarget >= 0
              OR EXISTS (SELECT FROM pg_catalog.unnest(a.attoptions) AS o (one) WHERE NOT pg_catalog.starts_with(o.one, 'pg_attver='))
              OR a.attstorage <> t.typstorage OR a.attcompression <> ''
          WHEN r.parent IS NOT NULL THEN
              (a.attnotnull, a.attstorage, a.attcompression, COALESCE(a.attstattarget, -1)) IS DISTINCT FROM
              (p.attnotnull, p.attstorage, p.attcompression, COALESCE(p.attstattarget, -1))
              OR (a.attacl::TEXT[], d.description) IS DISTINCT FROM (p.attacl::TEXT[], pd.description)
              OR CASE WHEN a.attoptions IS NOT NULL THEN (
                  SELECT pg_catalog.array_agg(o.one) FROM pg_catalog.unnest(a.attoptions) AS o (one) WHERE NOT pg_catalog.starts_with(o.one, 'pg_attver=')
              ) END IS DISTINCT FROM CASE WHEN p.attoptions IS NOT NULL THEN (
                  SELECT pg_catalog.array_agg(o.one) FROM pg_catalog.unnest(p.attoptions) AS o (one) WHERE NOT pg_catalog.starts_with(o.one, 'pg_attver=')
              ) END
              OR pg_catalog.pg_get_expr(f.adbin, f.adrelid) IS DISTINCT FROM pg_catalog.pg_get_expr(pf.adbin, pf.adrelid)
          ELSE TRUE
      END

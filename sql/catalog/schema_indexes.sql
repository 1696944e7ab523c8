-- What indexes are there that no constraint stands on and no partition got from its table, or that are invalid?
-- Server: 14.
-- Rights: none.
SELECT
    CASE WHEN c.relkind = 'm' THEN 'materialized_view' ELSE 'table' END AS of_kind,
    n.nspname AS of_schema,
    c.relname AS of_name,
    'index' AS kind,
    i.relname AS name,
    pg_catalog.pg_get_indexdef(x.indexrelid) AS definition,
    i.reloptions AS options,
    s.spcname AS tablespace,
    NULLIF(x.indisvalid, TRUE) AS valid,
    NULLIF(x.indisready, TRUE) AS ready,
    NULLIF(x.indisclustered, FALSE) AS clustered,
    (
        SELECT pg_catalog.array_agg(a.attnum || '=' || a.attstattarget ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = x.indexrelid
          AND a.attstattarget >= 0
    ) AS statistics_target,
    d.description AS comment
FROM pg_catalog.pg_index AS x
JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_class AS c ON c.oid = x.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = i.reltablespace
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = i.oid AND d.classoid = 'pg_catalog.pg_class'::REGCLASS AND d.objsubid = 0
WHERE (NOT i.relispartition OR NOT x.indisvalid)
  AND n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_constraint AS k
      WHERE k.conindid = x.indexrelid
        AND k.conrelid = x.indrelid
        AND k.contype IN ('p', 'u', 'x')
  )
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
      WHERE e.classid = 'pg_catalog.pg_class'::REGCLASS
        AND e.objid = i.oid
        AND e.deptype = 'e'
  )

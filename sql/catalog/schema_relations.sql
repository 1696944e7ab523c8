-- What tables, views and materialized views are there, and what are they like?
-- Server: 14.
-- Rights: none.
SELECT
    CASE c.relkind WHEN 'f' THEN 'foreign_table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view' ELSE 'table' END AS kind,
    n.nspname AS in_schema,
    c.relname AS name,
    pg_catalog.pg_get_userbyid(c.relowner) AS owner,
    c.relacl::TEXT[] AS privileges,
    CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END AS persistence,
    CASE WHEN m.amname <> 'heap' THEN m.amname END AS access_method,
    s.spcname AS tablespace,
    CASE WHEN c.relkind = 'f' THEN (
        SELECT pg_catalog.array_agg(pg_catalog.regexp_replace(o.option, '^([\w.-]*(password|passwd|secret|token|key)[\w.-]*)=.*$', '\1=****') ORDER BY o.option)
        FROM pg_catalog.unnest(f.ftoptions) AS o (option)
    ) ELSE c.reloptions END AS options,
    t.reloptions AS toast_options,
    CASE c.relreplident
        WHEN 'n' THEN 'nothing'
        WHEN 'f' THEN 'full'
        WHEN 'i' THEN (
            SELECT 'index ' || r.relname
            FROM pg_catalog.pg_index AS x
            JOIN pg_catalog.pg_class AS r ON r.oid = x.indexrelid
            WHERE x.indrelid = c.oid
              AND x.indisreplident
        )
    END AS replica_identity,
    NULLIF(c.relrowsecurity, FALSE) AS row_security,
    NULLIF(c.relforcerowsecurity, FALSE) AS force_row_security,
    CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS partition_key,
    CASE WHEN c.relispartition THEN h.parents[1] END AS partition_of,
    -- Without its table, which takes no lock: a bound names no column.
    CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, 0) END AS bound,
    CASE WHEN NOT c.relispartition THEN h.parents END AS inherits,
    CASE WHEN c.relispartition THEN (
        SELECT pg_catalog.array_agg(r.relname::TEXT ORDER BY r.relname)
        FROM pg_catalog.pg_inherits AS i
        JOIN pg_catalog.pg_index AS p ON p.indrelid = i.inhparent
        JOIN pg_catalog.pg_class AS r ON r.oid = p.indexrelid
        WHERE i.inhrelid = c.oid
          AND NOT EXISTS (
              SELECT
              FROM pg_catalog.pg_inherits AS a
              JOIN pg_catalog.pg_index AS x ON x.indexrelid = a.inhrelid
              WHERE a.inhparent = p.indexrelid
                AND x.indrelid = c.oid
          )
    ) END AS lacks,
    CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END AS of_type,
    v.srvname AS server,
    CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END AS definition,
    (
        SELECT pg_catalog.array_agg(l.provider || '=' || l.label ORDER BY l.provider)
        FROM pg_catalog.pg_seclabel AS l
        WHERE l.objoid = c.oid
          AND l.classoid = 'pg_catalog.pg_class'::REGCLASS
          AND l.objsubid = 0
    ) AS security_labels,
    d.description AS comment
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = c.reltablespace
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
LEFT JOIN pg_catalog.pg_foreign_table AS f ON f.ftrelid = c.oid
LEFT JOIN pg_catalog.pg_foreign_server AS v ON v.oid = f.ftserver
LEFT JOIN (
    SELECT i.inhrelid, pg_catalog.array_agg(i.inhparent::REGCLASS::TEXT ORDER BY i.inhseqno) AS parents
    FROM pg_catalog.pg_inherits AS i
    GROUP BY i.inhrelid
) AS h ON h.inhrelid = c.oid
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::REGCLASS AND d.objsubid = 0
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
  AND n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_class'::REGCLASS
        AND e.objid = c.oid
        AND e.deptype = 'e'
  )

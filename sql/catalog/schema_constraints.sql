-- What constraints do tables and domains have, other than NOT NULL and those that a partition got from its table?
-- Server: 14.
-- Rights: none.
SELECT
    CASE WHEN k.contypid <> 0 THEN 'domain' WHEN c.relkind = 'f' THEN 'foreign_table' ELSE 'table' END AS of_kind,
    n.nspname AS of_schema,
    COALESCE(c.relname, t.typname) AS of_name,
    CASE k.contype
        WHEN 'p' THEN 'primary_key'
        WHEN 'u' THEN 'unique'
        WHEN 'x' THEN 'exclusion'
        WHEN 'c' THEN 'check'
        WHEN 'f' THEN 'foreign_key'
    END AS kind,
    k.conname AS name,
    pg_catalog.pg_get_constraintdef(k.oid) AS definition,
    NULLIF(k.convalidated, TRUE) AS validated,
    -- ALTER TABLE ... DISABLE TRIGGER ALL: the rows are no longer looked at.
    CASE
        WHEN k.contype = 'f' AND EXISTS (SELECT FROM pg_catalog.pg_trigger AS g WHERE g.tgconstraint = k.oid AND g.tgenabled = 'D')
            THEN 'no'
    END AS enabled,
    i.reloptions AS options,
    s.spcname AS tablespace,
    NULLIF(x.indisvalid, TRUE) AS valid,
    NULLIF(x.indisclustered, FALSE) AS clustered,
    d.description AS comment
FROM pg_catalog.pg_constraint AS k
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
LEFT JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
JOIN pg_catalog.pg_namespace AS n ON n.oid = COALESCE(c.relnamespace, t.typnamespace)
LEFT JOIN pg_catalog.pg_class AS i ON i.oid = k.conindid AND k.contype IN ('p', 'u', 'x')
LEFT JOIN pg_catalog.pg_index AS x ON x.indexrelid = i.oid
LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = i.reltablespace
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = k.oid AND d.classoid = 'pg_catalog.pg_constraint'::REGCLASS AND d.objsubid = 0
WHERE k.contype IN ('p', 'u', 'x', 'c', 'f')
  AND k.conparentid = 0
  AND NOT (COALESCE(c.relispartition, FALSE) AND k.contype = 'c' AND k.coninhcount > 0 AND NOT k.conislocal)
  AND n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = CASE WHEN k.contypid <> 0 THEN 'pg_catalog.pg_type'::REGCLASS ELSE 'pg_catalog.pg_class'::REGCLASS END
        AND e.objid = COALESCE(c.oid, t.oid)
        AND e.deptype = 'e'
  )

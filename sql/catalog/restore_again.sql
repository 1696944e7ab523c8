-- What takes away what a killed run made of indexes, constraints, triggers and the like, so that all of it can be made?
-- Server: 14.
-- Rights: none.
SELECT s.statement
FROM (
    SELECT
        CASE c.contype WHEN 'f' THEN 1 ELSE 3 END AS turn,
        pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', c.conrelid::REGCLASS, c.conname) AS statement,
        'pg_catalog.pg_constraint'::REGCLASS::OID AS class,
        c.oid
    FROM pg_catalog.pg_constraint AS c
    WHERE c.contype IN ('f', 'p', 'u', 'x') AND c.conparentid = 0
    UNION ALL
    SELECT
        4,
        pg_catalog.format('DROP INDEX IF EXISTS %s CASCADE', i.indexrelid::REGCLASS),
        'pg_catalog.pg_class'::REGCLASS::OID,
        i.indexrelid
    FROM pg_catalog.pg_index AS i
    INNER JOIN pg_catalog.pg_class AS r ON r.oid = i.indexrelid
    WHERE NOT r.relispartition
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT
        2,
        pg_catalog.format('DROP TRIGGER IF EXISTS %I ON %s', t.tgname, t.tgrelid::REGCLASS),
        'pg_catalog.pg_trigger'::REGCLASS::OID,
        t.oid
    FROM pg_catalog.pg_trigger AS t
    WHERE NOT t.tgisinternal AND t.tgparentid = 0
    UNION ALL
    SELECT
        2,
        pg_catalog.format('DROP POLICY IF EXISTS %I ON %s', p.polname, p.polrelid::REGCLASS),
        'pg_catalog.pg_policy'::REGCLASS::OID,
        p.oid
    FROM pg_catalog.pg_policy AS p
    UNION ALL
    SELECT
        2,
        pg_catalog.format('DROP RULE IF EXISTS %I ON %s', w.rulename, w.ev_class::REGCLASS),
        'pg_catalog.pg_rewrite'::REGCLASS::OID,
        w.oid
    FROM pg_catalog.pg_rewrite AS w
    WHERE w.rulename <> '_RETURN'
    UNION ALL
    SELECT
        2,
        pg_catalog.format('DROP STATISTICS IF EXISTS %I.%I', n.nspname, e.stxname),
        'pg_catalog.pg_statistic_ext'::REGCLASS::OID,
        e.oid
    FROM pg_catalog.pg_statistic_ext AS e
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = e.stxnamespace
    UNION ALL
    SELECT
        0,
        pg_catalog.format('DROP EVENT TRIGGER IF EXISTS %I', v.evtname),
        'pg_catalog.pg_event_trigger'::REGCLASS::OID,
        v.oid
    FROM pg_catalog.pg_event_trigger AS v
    UNION ALL
    SELECT
        0,
        pg_catalog.format('DROP PUBLICATION IF EXISTS %I', p.pubname),
        'pg_catalog.pg_publication'::REGCLASS::OID,
        p.oid
    FROM pg_catalog.pg_publication AS p
    UNION ALL
    -- Without the slot of its publisher, which is not this one's.
    SELECT
        0,
        pg_catalog.format(w.words, b.subname),
        'pg_catalog.pg_subscription'::REGCLASS::OID,
        b.oid
    FROM pg_catalog.pg_subscription AS b
    CROSS JOIN (VALUES
        ('ALTER SUBSCRIPTION %I DISABLE'),
        ('ALTER SUBSCRIPTION %I SET (slot_name = NONE)'),
        ('DROP SUBSCRIPTION %I')
    ) AS w (words)
    WHERE b.subdbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
) AS s
-- What PostgreSQL made itself has lower numbers; what an extension made is its own.
WHERE s.oid >= 16384
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS d
      WHERE d.classid = s.class AND d.objid = s.oid AND d.deptype = 'e'
  )
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_index AS i
      INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
      LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::REGCLASS AND d.objid = c.oid AND d.deptype = 'e'
      WHERE i.indexrelid = s.oid AND (d.objid IS NOT NULL OR c.relkind = 't')
  )
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_constraint AS c
      INNER JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::REGCLASS AND d.objid = c.conrelid AND d.deptype = 'e'
      WHERE c.oid = s.oid
  )
ORDER BY s.turn, s.statement

-- Which columns do the tables of users have, and what must a value in them be?
-- Server: 14.
-- Rights: none.
SELECT
    c.oid::int8 AS relation,
    n.nspname::text AS schema,
    c.relname::text AS name,
    a.attname::text AS column,
    pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
    b.typname::text AS base,
    b.typtype::text AS sort,
    b.typcategory::text AS category,
    -- What varchar(n) and char(n) hold; a domain has the length of its base type.
    CASE
        WHEN b.typname IN ('varchar', 'bpchar') AND GREATEST(a.atttypmod, t.typtypmod) > 4
            THEN GREATEST(a.atttypmod, t.typtypmod) - 4
    END AS length,
    -- Digits before the point of numeric(p, s).
    CASE
        WHEN b.typname = 'numeric' AND GREATEST(a.atttypmod, t.typtypmod) > 4
            THEN (((GREATEST(a.atttypmod, t.typtypmod) - 4) >> 16) & 65535) - ((GREATEST(a.atttypmod, t.typtypmod) - 4) & 2047)
    END AS digits,
    a.attnotnull OR t.typnotnull AS not_null,
    a.atthasdef OR a.attidentity <> '' AS has_default,
    EXISTS (
        SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)
    ) AS is_unique,
    ARRAY(
        SELECT pg_catalog.pg_get_constraintdef(k.oid)
        FROM pg_catalog.pg_constraint AS k
        WHERE k.contype = 'c' AND ((k.conrelid = c.oid AND a.attnum = ANY (k.conkey)) OR (k.contypid = t.oid AND k.contypid <> 0))
        ORDER BY pg_catalog.cardinality(k.conkey), k.oid
    ) AS checks,
    -- The first partition there is, where the column alone is the key: what goes in goes there.
    CASE WHEN p.partnatts = 1 AND a.attnum = p.partattrs[0] THEN (
        SELECT pg_catalog.pg_get_expr(l.relpartbound, l.oid)
        FROM pg_catalog.pg_inherits AS h
        INNER JOIN pg_catalog.pg_class AS l ON l.oid = h.inhrelid
        WHERE h.inhparent = c.oid AND pg_catalog.pg_get_expr(l.relpartbound, l.oid) NOT LIKE '%MINVALUE%'
            AND pg_catalog.pg_get_expr(l.relpartbound, l.oid) <> 'DEFAULT'
        ORDER BY l.oid
        LIMIT 1
    ) END AS bound
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
INNER JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
INNER JOIN pg_catalog.pg_type AS b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
LEFT JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid = c.oid
WHERE
    c.oid >= 16384
    AND c.relkind IN ('r', 'p')
    AND NOT c.relispartition
    AND a.attgenerated = ''
    AND n.nspname <> 'dbctl'
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
ORDER BY n.nspname, c.relname, a.attnum

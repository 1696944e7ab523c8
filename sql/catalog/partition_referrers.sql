-- Which foreign keys of other tables point to these tables (oids $1), and how do their rows find each other?
-- Server: 14.
-- Rights: none.
-- In the condition the referencing row is c and the referenced one p.
SELECT
    k.confrelid AS oid,
    pg_catalog.format('%I.%I', n.nspname, r.relname) AS referrer,
    k.conname::text AS name,
    pg_catalog.string_agg(
        pg_catalog.format('c.%I = p.%I', ca.attname, pa.attname), ' AND '
        ORDER BY u.n
    ) AS condition
FROM pg_catalog.pg_constraint AS k
INNER JOIN pg_catalog.pg_class AS r ON r.oid = k.conrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
CROSS JOIN LATERAL ROWS FROM (
    pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)
) WITH ORDINALITY AS u (here, there, n)
INNER JOIN pg_catalog.pg_attribute AS ca ON ca.attrelid = k.conrelid AND ca.attnum = u.here
INNER JOIN pg_catalog.pg_attribute AS pa ON pa.attrelid = k.confrelid AND pa.attnum = u.there
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = ANY ($1)
GROUP BY k.oid, k.confrelid, n.nspname, r.relname, k.conname
ORDER BY k.confrelid, n.nspname, r.relname, k.conname

-- Which columns does a table have, of which type, and what may stand in them?
-- Server: 14.
-- Rights: none.
SELECT
    a.attname::text AS name,
    pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
    pg_catalog.format_type(COALESCE(d.oid, b.oid, t.oid), NULL) AS base,
    CASE
        WHEN COALESCE(d.oid, b.oid, t.oid) IN ('pg_catalog.varchar'::regtype, 'pg_catalog.bpchar'::regtype) AND m.typmod > 4
        THEN m.typmod - 4
    END AS max_length,
    a.attnotnull OR t.typnotnull AS not_null,
    a.attgenerated <> '' AS generated,
    a.atthasdef OR a.attidentity <> '' AS has_default
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type AS b ON t.typtype = 'd' AND b.oid = t.typbasetype
LEFT JOIN pg_catalog.pg_type AS d ON b.typtype = 'd' AND d.oid = b.typbasetype
CROSS JOIN LATERAL (
    SELECT CASE WHEN t.typtype <> 'd' THEN a.atttypmod WHEN b.typtype <> 'd' THEN t.typtypmod ELSE b.typtypmod END AS typmod
) AS m
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum

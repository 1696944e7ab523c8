-- Which indexes has this table, and which of them are constraints?
-- Server: 14.
-- Rights: none.
SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
    'name', c.relname,
    'definition', pg_catalog.pg_get_indexdef(i.indexrelid),
    'unique', i.indisunique,
    'exclusion', i.indisexclusion,
    'valid', i.indisvalid AND i.indisready,
    'replica_identity', i.indisreplident,
    'clustered', i.indisclustered,
    'tablespace', s.spcname,
    'columns', (
        SELECT COALESCE(pg_catalog.jsonb_agg(a.attname ORDER BY k.at), '[]')
        FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, at)
        INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE k.at <= i.indnkeyatts
    ),
    'comment', pg_catalog.obj_description(c.oid, 'pg_class'),
    'constraint', n.conname,
    'constraint_definition', pg_catalog.pg_get_constraintdef(n.oid),
    'constraint_comment', pg_catalog.obj_description(n.oid, 'pg_constraint'),
    'primary', i.indisprimary
) ORDER BY NOT i.indisprimary, c.relname), '[]')::text AS found
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = c.reltablespace
LEFT JOIN pg_catalog.pg_constraint AS n ON n.conindid = i.indexrelid AND n.conrelid = i.indrelid AND n.contype IN ('p', 'u', 'x')
WHERE i.indrelid = $1::oid

-- Which CHECK, NOT NULL and FOREIGN KEY constraints has this table, and which foreign keys lead to it?
-- Server: 14.
-- Rights: none.
SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
    'name', c.conname,
    'table', c.conrelid::regclass::text,
    'other', CASE WHEN c.contype = 'f' THEN c.confrelid::regclass::text END,
    'inbound', c.confrelid = $1::oid,
    'kind', c.contype::text,
    'definition', pg_catalog.pg_get_constraintdef(c.oid),
    'valid', c.convalidated,
    'no_inherit', c.connoinherit,
    -- Since 18.
    'enforced', COALESCE((pg_catalog.to_jsonb(c) ->> 'conenforced')::bool, true),
    'comment', pg_catalog.obj_description(c.oid, 'pg_constraint')
) ORDER BY c.conname, c.oid), '[]')::text AS found
FROM pg_catalog.pg_constraint AS c
WHERE (c.conrelid = $1::oid AND c.contype IN ('c', 'f', 'n')) OR (c.confrelid = $1::oid AND c.contype = 'f' AND c.conparentid = 0)

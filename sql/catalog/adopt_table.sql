-- What is this table, and what belongs to it as a whole?
-- Server: 14.
-- Rights: none.
SELECT pg_catalog.jsonb_build_object(
    'oid', c.oid::int8,
    'shown', c.oid::regclass::text,
    'kind', c.relkind::text,
    'persistence', c.relpersistence::text,
    'partition', c.relispartition,
    'inherits', EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE c.oid IN (i.inhrelid, i.inhparent)),
    'typed', c.reloftype <> 0,
    'extension', (
        SELECT e.extname
        FROM pg_catalog.pg_depend AS d
        INNER JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
            AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
    ),
    'owner', pg_catalog.pg_get_userbyid(c.relowner),
    'tablespace', s.spcname,
    'access_method', a.amname,
    'options', COALESCE(pg_catalog.to_jsonb(c.reloptions), '[]'),
    'toast_options', COALESCE(pg_catalog.to_jsonb(t.reloptions), '[]'),
    'row_security', c.relrowsecurity,
    'force_row_security', c.relforcerowsecurity,
    'replica_identity', c.relreplident::text,
    'comment', pg_catalog.obj_description(c.oid, 'pg_class'),
    'labelled', EXISTS (SELECT FROM pg_catalog.pg_seclabel AS l WHERE l.objoid = c.oid AND l.classoid = 'pg_class'::regclass),
    'rows', GREATEST(c.reltuples, 0)::int8,
    'bytes', pg_catalog.pg_table_size(c.oid),
    'partition_key', CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
    'names', (
        SELECT pg_catalog.jsonb_agg(r.name)
        FROM (
            SELECT o.relname AS name FROM pg_catalog.pg_class AS o WHERE o.relnamespace = c.relnamespace
            UNION
            SELECT y.typname FROM pg_catalog.pg_type AS y WHERE y.typnamespace = c.relnamespace
        ) AS r
    ),
    'now', pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())
)::text AS facts
FROM pg_catalog.pg_class AS c
LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = c.reltablespace
LEFT JOIN pg_catalog.pg_am AS a ON a.oid = c.relam
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
WHERE c.oid = pg_catalog.to_regclass($1)

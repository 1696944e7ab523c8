-- Which partitions have left their tables or are about to, and where are they now?
-- Server: 14.
-- Rights: SELECT on dbctl.partition.
SELECT
    p.id,
    p.parent,
    p.parent_oid,
    p.partition,
    p.oid,
    p.relfilenode,
    p.lower,
    p.upper,
    p.mode,
    p.state,
    p.place,
    p.uri,
    p.rows,
    p.content_hash,
    p.manifest::text AS manifest,
    p.drop_after,
    p.hooks_due,
    p.changed_at,
    n.nspname::text AS schema_now,
    c.relname::text AS name_now,
    c.relfilenode AS relfilenode_now,
    i.inhparent AS parent_now,
    COALESCE(i.inhdetachpending, false) AS pending
FROM dbctl.partition AS p
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = p.oid
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid
WHERE p.hooks_due OR p.state IN ('leaving', 'exported', 'detached', 'frozen', 'aside')
ORDER BY p.id

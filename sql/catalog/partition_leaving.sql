-- Which partitions are leaving their tables (or, of the names $1, have left last), and where are they now?
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
WHERE
    CASE
        WHEN $1 IS NULL THEN p.hooks_due OR p.state IN ('leaving', 'exported', 'detached', 'frozen', 'aside')
        ELSE
            (p.partition = ANY ($1) OR pg_catalog.split_part(p.partition, '.', 2) = ANY ($1))
            AND p.state NOT IN ('undone', 'restored')
            AND NOT EXISTS (SELECT FROM dbctl.partition AS later WHERE later.partition = p.partition AND later.id > p.id)
    END
ORDER BY p.id

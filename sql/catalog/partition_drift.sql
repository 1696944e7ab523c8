-- In what do partitions differ from their tables (oids $1), though they should not?
-- Server: 14.
-- Rights: none.
WITH m AS (
    SELECT
        p.oid AS parent,
        c.oid,
        n.nspname AS schema,
        c.relname AS name,
        c.relkind AS kind,
        p.relowner AS parent_owner,
        c.relowner AS owner,
        p.relacl AS parent_acl,
        c.relacl AS acl,
        p.relreplident AS parent_identity,
        c.relreplident AS identity,
        p.relrowsecurity AS parent_secured,
        c.relrowsecurity AS secured,
        p.relforcerowsecurity AS parent_forced,
        c.relforcerowsecurity AS forced
    FROM pg_catalog.pg_inherits AS i
    INNER JOIN pg_catalog.pg_class AS p ON p.oid = i.inhparent
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE i.inhparent = ANY ($1) AND NOT i.inhdetachpending AND c.relkind IN ('r', 'p')
),

columns_with_rights AS (
    SELECT a.attrelid, a.attname, e.grantee, e.privilege_type, e.is_grantable
    FROM pg_catalog.pg_attribute AS a, pg_catalog.aclexplode(a.attacl) AS e
    WHERE
        a.attacl IS NOT NULL
        AND NOT a.attisdropped
        AND a.attrelid IN (SELECT m.oid FROM m UNION ALL SELECT m.parent FROM m)
),

-- GRANTs but those to the owner: of the table, and of the partition.
grants AS (
    SELECT m.oid, r.of_parent, e.grantee, e.privilege_type, e.is_grantable, NULL::name AS col, r.owner
    FROM m
    CROSS JOIN LATERAL (VALUES (true, m.parent_acl, m.parent_owner), (false, m.acl, m.owner)) AS r (of_parent, acl, owner)
    CROSS JOIN LATERAL pg_catalog.aclexplode(r.acl) AS e
    WHERE m.acl::text IS DISTINCT FROM m.parent_acl::text OR m.owner <> m.parent_owner
    UNION ALL
    SELECT m.oid, r.of_parent, w.grantee, w.privilege_type, w.is_grantable, w.attname, r.owner
    FROM m
    CROSS JOIN LATERAL (VALUES (true, m.parent, m.parent_owner), (false, m.oid, m.owner)) AS r (of_parent, oid, owner)
    INNER JOIN columns_with_rights AS w ON w.attrelid = r.oid
),

one_sided AS (
    SELECT DISTINCT o.oid, o.of_parent
    FROM (
        SELECT g.oid, pg_catalog.bool_and(g.of_parent) AS of_parent
        FROM grants AS g
        GROUP BY g.oid, g.grantee, g.privilege_type, g.is_grantable, g.col
        HAVING pg_catalog.bool_and(g.of_parent) = pg_catalog.bool_or(g.of_parent) AND pg_catalog.bool_and(g.grantee <> g.owner)
    ) AS o
),

found AS (
    SELECT
        m.oid,
        'owner' AS aspect,
        pg_catalog.pg_get_userbyid(m.owner)::text || ' instead of ' || pg_catalog.pg_get_userbyid(m.parent_owner)::text AS detail
    FROM m
    WHERE m.owner <> m.parent_owner
    UNION ALL
    SELECT o.oid, CASE WHEN o.of_parent THEN 'fewer grants' ELSE 'more grants' END, NULL
    FROM one_sided AS o
    UNION ALL
    SELECT m.oid, 'replica identity', NULL
    FROM m
    WHERE m.identity <> m.parent_identity
    UNION ALL
    SELECT m.oid, 'row level security', NULL
    FROM m
    WHERE m.secured <> m.parent_secured OR m.forced <> m.parent_forced
    UNION ALL
    SELECT m.oid, 'missing index', xc.relname::text
    FROM m
    INNER JOIN pg_catalog.pg_index AS x ON x.indrelid = m.parent
    INNER JOIN pg_catalog.pg_class AS xc ON xc.oid = x.indexrelid
    WHERE
        NOT EXISTS (
            SELECT
            FROM pg_catalog.pg_inherits AS h
            INNER JOIN pg_catalog.pg_index AS hx ON hx.indexrelid = h.inhrelid
            WHERE h.inhparent = x.indexrelid AND hx.indrelid = m.oid
        )
    UNION ALL
    SELECT
        m.oid,
        CASE
            WHEN NOT x.indisvalid THEN 'invalid index'
            WHEN x.indisunique THEN 'extra unique index'
            ELSE 'extra index'
        END,
        xc.relname::text
    FROM m
    INNER JOIN pg_catalog.pg_index AS x ON x.indrelid = m.oid
    INNER JOIN pg_catalog.pg_class AS xc ON xc.oid = x.indexrelid
    WHERE
        NOT x.indisvalid
        OR NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = x.indexrelid)
    UNION ALL
    SELECT m.oid, CASE WHEN own.oid IS NULL THEN 'missing trigger' ELSE 'disabled trigger' END, t.tgname::text
    FROM m
    INNER JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = m.parent AND NOT t.tgisinternal AND t.tgtype::int4 & 1 = 1
    LEFT JOIN pg_catalog.pg_trigger AS own ON own.tgrelid = m.oid AND own.tgparentid = t.oid
    WHERE own.oid IS NULL OR own.tgenabled <> t.tgenabled
    UNION ALL
    SELECT m.oid, CASE WHEN own.oid IS NULL THEN 'missing constraint' ELSE 'unproven constraint' END, k.conname::text
    FROM m
    INNER JOIN pg_catalog.pg_constraint AS k ON k.conrelid = m.parent AND k.contype IN ('c', 'f') AND NOT k.connoinherit
    LEFT JOIN pg_catalog.pg_constraint AS own
        ON
            own.conrelid = m.oid
            AND own.contype = k.contype
            AND (own.conparentid = k.oid OR (k.contype = 'c' AND own.conname = k.conname))
    WHERE (own.oid IS NULL AND k.conparentid = 0) OR own.convalidated < k.convalidated
)

SELECT
    m.parent,
    m.schema::text AS schema,
    m.name::text AS name,
    found.aspect,
    found.detail
FROM m
INNER JOIN found ON found.oid = m.oid
ORDER BY m.parent, m.name, found.aspect, found.detail

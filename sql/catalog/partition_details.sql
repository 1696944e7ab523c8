-- What does a new partition of these tables (oids $1) take over, and whom do their foreign keys lock?
-- Server: 14.
-- Rights: none.
SELECT
    c.oid,
    pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
    c.relowner = (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER) AS is_ours,
    c.relrowsecurity AS row_security,
    c.relforcerowsecurity AS force_row_security,
    c.relreplident::text AS replica_identity,
    (
        SELECT pg_catalog.format('%I.%I', xn.nspname, xc.relname)
        FROM pg_catalog.pg_index AS x
        INNER JOIN pg_catalog.pg_class AS xc ON xc.oid = x.indexrelid
        INNER JOIN pg_catalog.pg_namespace AS xn ON xn.oid = xc.relnamespace
        WHERE x.indrelid = c.oid AND x.indisreplident
    ) AS replica_identity_index,
    (SELECT t.spcname::text FROM pg_catalog.pg_tablespace AS t WHERE t.oid = c.reltablespace) AS tablespace,
    (
        SELECT s.reloptions
        FROM pg_catalog.pg_inherits AS i
        INNER JOIN pg_catalog.pg_class AS s ON s.oid = i.inhrelid AND s.relkind = 'r'
        WHERE i.inhparent = c.oid AND i.inhrelid <> COALESCE(NULLIF(p.partdefid, 0::oid), 0::oid)
        ORDER BY s.oid DESC
        LIMIT 1
    ) AS sibling_options,
    -- GRANTs but those to the owner, as their words: privilege, grantee, WITH GRANT OPTION.
    (
        SELECT pg_catalog.jsonb_agg(
            pg_catalog.jsonb_build_object(
                'privilege', g.privilege_type,
                'grantee', CASE WHEN g.grantee <> 0 THEN pg_catalog.pg_get_userbyid(g.grantee)::text END,
                'grantable', g.is_grantable,
                'column', g.col
            )
            ORDER BY g.grantee, g.col NULLS FIRST, g.privilege_type
        )
        FROM (
            SELECT e.grantee, e.privilege_type, e.is_grantable, NULL::text AS col
            FROM pg_catalog.aclexplode(c.relacl) AS e
            UNION ALL
            SELECT e.grantee, e.privilege_type, e.is_grantable, a.attname::text
            FROM pg_catalog.pg_attribute AS a, pg_catalog.aclexplode(a.attacl) AS e
            WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attacl IS NOT NULL
        ) AS g
        WHERE g.grantee <> c.relowner
    )::text AS grants,
    -- Whom ALTER DEFAULT PRIVILEGES of our role would give rights on a new table.
    (
        SELECT pg_catalog.array_agg(DISTINCT CASE WHEN e.grantee <> 0 THEN pg_catalog.pg_get_userbyid(e.grantee)::text END)
        FROM pg_catalog.pg_default_acl AS d, pg_catalog.aclexplode(d.defaclacl) AS e
        WHERE
            d.defaclobjtype = 'r'
            AND d.defaclnamespace IN (0::oid, c.relnamespace)
            AND d.defaclrole = (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER)
            AND e.grantee <> c.relowner
            AND e.grantee <> d.defaclrole
    ) AS default_grantees,
    (
        SELECT pg_catalog.array_agg(DISTINCT pg_catalog.format('%I.%I', rn.nspname, r.relname))
        FROM pg_catalog.pg_constraint AS k
        INNER JOIN pg_catalog.pg_class AS r ON r.oid = k.confrelid
        INNER JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
        WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid
    ) AS references_to,
    (
        SELECT pg_catalog.array_agg(DISTINCT pg_catalog.format('%I.%I', rn.nspname, r.relname))
        FROM pg_catalog.pg_constraint AS k
        INNER JOIN pg_catalog.pg_class AS r ON r.oid = k.conrelid
        INNER JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
        WHERE k.confrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0
    ) AS referenced_by,
    (
        SELECT pg_catalog.array_agg(DISTINCT b.pubname::text)
        FROM pg_catalog.pg_publication AS b
        INNER JOIN pg_catalog.pg_publication_rel AS br ON br.prpubid = b.oid
        INNER JOIN pg_catalog.pg_inherits AS bi ON bi.inhrelid = br.prrelid
        WHERE bi.inhparent = c.oid
    ) AS publications_of_partitions
FROM pg_catalog.pg_class AS c
LEFT JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid = c.oid
WHERE c.oid = ANY ($1)

-- Which tables of users are there, and what decides whether each can be written anew while it is used?
-- Server: 14.
-- Rights: none.
SELECT
    c.oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relkind = 'p' AS parent,
    c.relpersistence::text AS persistence,
    ARRAY(
        SELECT a.relid::oid FROM pg_catalog.pg_partition_ancestors(c.oid) AS a (relid) WHERE a.relid <> c.oid
    ) AS above,
    c.relfilenode AS file,
    pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned,
    CASE
        WHEN pg_catalog.current_setting('server_version_num')::int4 >= 170000
            THEN pg_catalog.has_table_privilege(c.oid, 'MAINTAIN')
        ELSE FALSE
    END AS maintained,
    EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL
            AND 0 <> ALL (i.indkey)
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey) AND NOT a.attnotnull
            )
    ) AS has_key,
    EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
            AND CASE c.relreplident WHEN 'i' THEN i.indisreplident WHEN 'd' THEN i.indisprimary ELSE FALSE END
    ) AS has_identity,
    ARRAY(
        SELECT x.relname::text
        FROM pg_catalog.pg_index AS i
        INNER JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
        WHERE i.indrelid = c.oid AND NOT i.indisvalid
        ORDER BY x.relname
    ) AS invalid,
    ARRAY(
        SELECT p.gid
        FROM pg_catalog.pg_locks AS l
        INNER JOIN pg_catalog.pg_prepared_xacts AS p ON '-1/' || p.transaction::text = l.virtualtransaction
        WHERE l.pid IS NULL AND l.relation = c.oid
            AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
        ORDER BY p.gid
    ) AS prepared,
    (
        SELECT pg_catalog.min(l.pid)
        FROM pg_catalog.pg_locks AS l
        WHERE l.locktype = 'advisory' AND l.granted AND l.classid::int8 = 16185446 AND l.objsubid = 2
            AND l.objid::int8 = (c.oid::int8 + 2147483648) % 4294967296
            AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
    ) AS worked_by,
    CASE WHEN s.oid IS NOT NULL THEN pg_catalog.pg_tablespace_location(s.oid) END AS place
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = c.reltablespace
WHERE c.relkind IN ('r', 'p')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_extension AS e
        INNER JOIN pg_catalog.pg_depend AS d ON d.refobjid = e.oid AND d.objid = n.oid AND d.deptype = 'e'
        WHERE e.extname = 'pg_repack'
    )
ORDER BY c.oid

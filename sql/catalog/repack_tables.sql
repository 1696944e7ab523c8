-- Which tables of users are there, and what decides whether each can be written anew while it is used?
-- Server: 14.
-- Rights: none.
WITH here AS MATERIALIZED (
    SELECT l.locktype, l.relation, l.classid, l.objid, l.objsubid, l.virtualtransaction, l.pid, l.granted
    FROM pg_catalog.pg_locks AS l
    INNER JOIN pg_catalog.pg_database AS d ON d.datname = pg_catalog.current_database() AND d.oid = l.database
    WHERE l.pid IS NULL OR l.locktype = 'advisory'
),

prepared AS MATERIALIZED (
    SELECT h.relation, p.gid
    FROM here AS h
    INNER JOIN pg_catalog.pg_locks AS x
        ON x.virtualtransaction = h.virtualtransaction AND x.pid IS NULL AND x.locktype = 'transactionid'
    INNER JOIN pg_catalog.pg_prepared_xacts AS p ON p.transaction = x.transactionid
    WHERE h.pid IS NULL AND h.locktype = 'relation'
),

working AS MATERIALIZED (
    SELECT
        h.pid,
        CASE WHEN h.objid::int8 >= 2147483648 THEN h.objid::int8 - 2147483648 ELSE h.objid::int8 + 2147483648 END AS table_oid
    FROM here AS h
    WHERE h.locktype = 'advisory' AND h.granted AND h.classid::int8 = 16185446 AND h.objsubid = 2
)

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
    ARRAY(SELECT p.gid FROM prepared AS p WHERE p.relation = c.oid ORDER BY p.gid) AS prepared,
    (SELECT pg_catalog.min(w.pid) FROM working AS w WHERE w.table_oid = c.oid::int8) AS worked_by,
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

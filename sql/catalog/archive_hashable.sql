-- Can whole rows of this table be hashed, so that equal hashes mean equal rows in any database?
-- Server: 14.
-- Rights: none.
WITH RECURSIVE columns AS (
    SELECT a.atttypid, a.attcollation
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = $1 AND c.relname = $2
),

types (oid, coll) AS (
    SELECT k.atttypid, k.attcollation
    FROM columns AS k
    UNION
    SELECT
        p.oid,
        p.coll
    FROM types AS o
    INNER JOIN pg_catalog.pg_type AS t ON t.oid = o.oid
    CROSS JOIN LATERAL (
        SELECT
            t.typelem AS oid,
            o.coll AS coll
        WHERE t.typcategory = 'A' AND t.typelem <> 0
        UNION ALL
        SELECT
            t.typbasetype,
            o.coll
        WHERE t.typtype = 'd'
        UNION ALL
        SELECT
            a.atttypid,
            a.attcollation
        FROM pg_catalog.pg_attribute AS a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT
            r.rngsubtype,
            r.rngcollation
        FROM pg_catalog.pg_range AS r
        WHERE (t.typtype = 'r' AND r.rngtypid = t.oid) OR (t.typtype = 'm' AND r.rngmultitypid = t.oid)
    ) AS p
)

SELECT
    pg_catalog.to_regprocedure('pg_catalog.hash_record_extended(record,bigint)') IS NOT NULL
    AND NOT EXISTS (
        SELECT
        FROM types AS o
        INNER JOIN pg_catalog.pg_type AS t ON t.oid = o.oid
        LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = o.coll
        WHERE
            -- Under such a collation different texts are equal.
            NOT coalesce(l.collisdeterministic, TRUE)
            -- An enum's values are hashed by their OIDs, which another database does not share.
            OR t.typtype NOT IN ('b', 'd', 'c', 'r', 'm')
            OR (
                t.typtype = 'b'
                AND t.typcategory <> 'A'
                AND NOT EXISTS (
                    SELECT
                    FROM pg_catalog.pg_opclass AS s
                    INNER JOIN pg_catalog.pg_am AS m ON m.oid = s.opcmethod AND m.amname = 'hash'
                    INNER JOIN pg_catalog.pg_amproc AS f
                        ON f.amprocfamily = s.opcfamily
                        AND f.amproclefttype = s.opcintype
                        AND f.amprocrighttype = s.opcintype
                        AND f.amprocnum = 2
                    WHERE
                        s.opcdefault
                        AND s.opcintype = CASE t.oid
                            WHEN 'pg_catalog.varchar'::pg_catalog.regtype THEN 'pg_catalog.text'::pg_catalog.regtype
                            WHEN 'pg_catalog.cidr'::pg_catalog.regtype THEN 'pg_catalog.inet'::pg_catalog.regtype
                            ELSE t.oid
                        END
                )
            )
    ) AS by_record

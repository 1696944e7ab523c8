-- How do values of these types stand in JSON: as they are, as an array, as JSON, or as their text?
-- Server: 14.
-- Rights: none.
WITH RECURSIVE based (wanted, base) AS (
    SELECT t.oid, t.oid
    FROM pg_catalog.pg_type AS t
    WHERE t.oid = ANY ($1)
    UNION ALL
    SELECT b.wanted, t.typbasetype
    FROM based AS b
    INNER JOIN pg_catalog.pg_type AS t ON t.oid = b.base AND t.typtype = 'd'
),

plain (name) AS (
    VALUES
        ('bool'), ('int2'), ('int4'), ('int8'), ('float4'), ('float8'), ('numeric'), ('text'), ('varchar'), ('bpchar'),
        ('name'), ('char'), ('uuid'), ('bytea'), ('date'), ('timestamp'), ('timestamptz')
)

SELECT
    b.wanted AS oid,
    CASE
        WHEN n.nspname = 'pg_catalog' AND t.typname = 'json' THEN 'json'
        WHEN n.nspname = 'pg_catalog' AND t.typname = 'jsonb' THEN 'jsonb'
        WHEN n.nspname = 'pg_catalog' AND t.typname IN (SELECT p.name FROM plain AS p) THEN 'plain'
        WHEN n.nspname <> 'pg_catalog' AND t.typtype = 'b' AND t.typname IN ('vector', 'halfvec') THEN 'vector'
        WHEN e.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AND e.typname IN (SELECT p.name FROM plain AS p) THEN 'array'
        ELSE 'text'
    END AS form
FROM based AS b
INNER JOIN pg_catalog.pg_type AS t ON t.oid = b.base AND t.typtype <> 'd'
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem AND e.typarray = t.oid

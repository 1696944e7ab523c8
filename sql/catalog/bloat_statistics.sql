-- How wide are the columns of these ($2) tables and of indexes on expressions, how often NULL, with how many values?
-- Server: 14.
-- Rights: SELECT on the columns; those of other tables are left out.
-- Widths are those of a few values of texts in relations of at least $1 pages: what is always as long has another
-- layout than what is as long on average.
SELECT
    c.oid,
    a.attnum::int4 AS column,
    s.null_frac::float8 AS nulls,
    s.avg_width AS width,
    s.n_distinct::float8 AS n_distinct,
    CASE WHEN c.relpages >= $1 THEN s.most_common_freqs END AS common,
    CASE
        WHEN a.attlen = -1 AND c.relpages >= $1 AND s.avg_width < 1000
            AND a.atttypid IN (25, 1042, 1043, 1700)
            THEN (
                SELECT pg_catalog.array_agg(
                    CASE
                        WHEN a.atttypid = 1700 THEN pg_catalog.pg_column_size(v.value::numeric)
                        ELSE pg_catalog.octet_length(v.value) + 4
                    END
                )
                FROM pg_catalog.unnest(
                    COALESCE(s.histogram_bounds::text::text[], s.most_common_vals::text::text[])
                ) WITH ORDINALITY AS v (value, at)
                WHERE v.at % 4 = 1
            )
    END AS widths
FROM pg_catalog.pg_stats AS s
INNER JOIN pg_catalog.pg_namespace AS n ON n.nspname = s.schemaname
INNER JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.tablename
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = s.attname
WHERE NOT s.inherited AND c.oid = ANY($2)

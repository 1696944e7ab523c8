-- What do columns of these ($2) relations look like to a role that may read their statistics where they are stored?
-- Server: 14.
-- Rights: SELECT on pg_statistic.
-- The same as bloat_statistics in a third of the time.
SELECT
    s.starelid AS oid,
    s.staattnum::int4 AS column,
    s.stanullfrac::float8 AS nulls,
    s.stawidth AS width,
    s.stadistinct::float8 AS n_distinct,
    CASE WHEN c.relpages >= $1 AND s.stakind1 = 1 THEN s.stanumbers1 END AS common,
    CASE
        WHEN a.attlen = -1 AND c.relpages >= $1 AND s.stawidth < 1000
            AND a.atttypid IN (25, 1042, 1043, 1700)
            THEN (
                SELECT pg_catalog.array_agg(
                    CASE
                        WHEN a.atttypid = 1700 THEN pg_catalog.pg_column_size(v.value::numeric)
                        ELSE pg_catalog.octet_length(v.value) + 4
                    END
                )
                FROM pg_catalog.unnest(
                    CASE
                        WHEN s.stakind1 = 2 THEN s.stavalues1
                        WHEN s.stakind2 = 2 THEN s.stavalues2
                        WHEN s.stakind1 = 1 THEN s.stavalues1
                    END::text::text[]
                ) WITH ORDINALITY AS v (value, at)
                WHERE v.at % 4 = 1
            )
    END AS widths
FROM pg_catalog.pg_statistic AS s
INNER JOIN pg_catalog.pg_class AS c ON c.oid = s.starelid
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = s.starelid AND a.attnum = s.staattnum
WHERE NOT s.stainherit AND c.oid = ANY($2)

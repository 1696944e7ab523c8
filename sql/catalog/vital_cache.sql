-- How many blocks of this database's tables and indexes were found in shared buffers, how many not?
-- Server: 14.
-- Rights: none.
-- What is below 16384 came with the server.
SELECT
    COALESCE(pg_catalog.sum(c.hit) FILTER (WHERE c.relkind <> 'i'), 0)::int8 AS tables_hit,
    COALESCE(pg_catalog.sum(c.fetched - c.hit) FILTER (WHERE c.relkind <> 'i'), 0)::int8 AS tables_read,
    COALESCE(pg_catalog.sum(c.hit) FILTER (WHERE c.relkind = 'i'), 0)::int8 AS indexes_hit,
    COALESCE(pg_catalog.sum(c.fetched - c.hit) FILTER (WHERE c.relkind = 'i'), 0)::int8 AS indexes_read,
    -- The view pg_stat_database would count every database for this one time.
    pg_catalog.date_part('epoch', pg_catalog.now() - pg_catalog.pg_stat_get_db_stat_reset_time((
        SELECT d.oid
        FROM pg_catalog.pg_database AS d
        WHERE d.datname = pg_catalog.current_database()
    )))::float8 AS stats_seconds
FROM (
    SELECT
        r.relkind,
        pg_catalog.pg_stat_get_blocks_hit(r.oid) AS hit,
        pg_catalog.pg_stat_get_blocks_fetched(r.oid) AS fetched
    FROM pg_catalog.pg_class AS r
    WHERE r.relkind IN ('r', 'm', 't', 'i') AND r.oid >= 16384
    -- Each is asked once, not once for every sum.
    OFFSET 0
) AS c

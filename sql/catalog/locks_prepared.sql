-- Which prepared transactions are there, and what would end them?
-- Server: 14.
-- Rights: none.
SELECT
    p.transaction::text::int8 AS transaction,
    p.gid,
    p.owner::text AS role,
    p.database::text AS database,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - p.prepared)::float8 AS seconds,
    'ROLLBACK PREPARED ' || pg_catalog.quote_literal(p.gid) AS remedy
FROM pg_catalog.pg_prepared_xacts AS p
ORDER BY p.prepared

-- How many checkpoints came by the clock, how many because something asked for one?
-- Server: 14.
-- Rights: none.
SELECT
    -- Since 17 these are not here but in pg_stat_checkpointer: null then.
    (pg_catalog.to_jsonb(b) ->> 'checkpoints_timed')::int8 AS timed,
    (pg_catalog.to_jsonb(b) ->> 'checkpoints_req')::int8 AS requested,
    pg_catalog.date_part('epoch', pg_catalog.now() - b.stats_reset)::float8 AS stats_seconds
FROM pg_catalog.pg_stat_bgwriter AS b

-- How many checkpoints came by the clock, how many because something asked for one?
-- Server: 17.
-- Rights: none.
SELECT
    c.num_timed AS timed,
    c.num_requested AS requested,
    pg_catalog.date_part('epoch', pg_catalog.now() - c.stats_reset)::float8 AS stats_seconds
FROM pg_catalog.pg_stat_checkpointer AS c

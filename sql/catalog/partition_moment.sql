-- What time is it on the server, and for how many locks is there room?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.clock_timestamp() AS now,
    pg_catalog.current_setting('max_locks_per_transaction')::int8
    * (
        pg_catalog.current_setting('max_connections')::int8
        + pg_catalog.current_setting('max_prepared_transactions')::int8
    ) AS lock_slots

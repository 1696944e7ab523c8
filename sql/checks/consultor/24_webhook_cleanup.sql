-- check: processed webhooks older than 30 days are deleted, oldest first, in batches; newer and unprocessed ones stay.

CREATE FUNCTION pg_temp.expect(p_what TEXT, p_got TEXT, p_wanted TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    IF p_got IS DISTINCT FROM p_wanted THEN
        RAISE EXCEPTION 'check failed: % is %, not %', p_what, COALESCE(p_got, 'null'), COALESCE(p_wanted, 'null');
    END IF;
END;
$$;
CREATE FUNCTION pg_temp.left_over()
RETURNS TEXT
LANGUAGE sql
AS $$ SELECT string_agg(w.event_type, ', ' ORDER BY w.event_type) FROM webhook_events AS w WHERE w.event_type LIKE 'check %' $$;

-- Whatever else is out of date is older than none of these.
INSERT INTO webhook_events (event_type, payload, processed, received_at)
VALUES
    ('check 1 oldest', '{}', TRUE, '1970-01-01 00:00:00+00'),
    ('check 2 second', '{}', TRUE, '1970-01-02 00:00:00+00'),
    ('check 3 not processed', '{}', FALSE, '1970-01-01 00:00:00+00'),
    ('check 4 31 days', '{}', TRUE, now() - INTERVAL '31 days'),
    ('check 5 29 days', '{}', TRUE, now() - INTERVAL '29 days'),
    ('check 6 new', '{}', TRUE, now());

-- With these a batch that can be found anew for each row, is: it must keep its size under every plan.
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_hashagg = off;
SET LOCAL enable_sort = off;
SET LOCAL enable_material = off;
SELECT pg_temp.expect('the size of a batch of one', cleanup_webhook_events(30, 1)::TEXT, '1');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_hashagg;
RESET enable_sort;
RESET enable_material;
SELECT pg_temp.expect('what a batch of one leaves', pg_temp.left_over(),
    'check 2 second, check 3 not processed, check 4 31 days, check 5 29 days, check 6 new');
SELECT cleanup_webhook_events(30, 2147483647);
SELECT pg_temp.expect('what 30 days leave', pg_temp.left_over(), 'check 3 not processed, check 5 29 days, check 6 new');
SELECT pg_temp.expect('what the next batch finds', cleanup_webhook_events(p_limit => 2147483647)::TEXT, '0');
SELECT cleanup_webhook_events(28, 2147483647);
SELECT pg_temp.expect('what 28 days leave', pg_temp.left_over(), 'check 3 not processed, check 6 new');

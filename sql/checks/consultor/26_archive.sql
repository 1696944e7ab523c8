-- check: messages older than two years move to the archive with every column, oldest first, in batches; one that is archived already takes the newer values.

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
-- Two consultants, A and B, with a lead, a flow and a conversation each.
INSERT INTO consultants (id, email, password_hash, name, whatsapp_number, vertical, slug)
VALUES
    ('c0000000-0000-4000-8000-00000000000a', 'a@check.invalid', 'hash of A', 'Check A', '+550000000000', 'insurance', 'check-slug-a'),
    ('c0000000-0000-4000-8000-00000000000b', 'b@check.invalid', 'hash of B', 'Check B', '+550000000000', 'insurance', 'check-slug-b');

INSERT INTO leads (id, consultant_id, whatsapp_number, name)
VALUES
    ('1ead0000-0000-4000-8000-00000000000a', 'c0000000-0000-4000-8000-00000000000a', '+550000000001', 'Lead of A'),
    ('1ead0000-0000-4000-8000-00000000000b', 'c0000000-0000-4000-8000-00000000000b', '+550000000001', 'Lead of B');

INSERT INTO flows (id, name, vertical, definition, created_by)
VALUES
    ('f1000000-0000-4000-8000-00000000000a', 'Flow of A', 'insurance', '{}', 'c0000000-0000-4000-8000-00000000000a'),
    ('f1000000-0000-4000-8000-00000000000b', 'Flow of B', 'insurance', '{}', 'c0000000-0000-4000-8000-00000000000b');

INSERT INTO conversations (id, lead_id, flow_id)
VALUES
    ('c0170000-0000-4000-8000-00000000000a', '1ead0000-0000-4000-8000-00000000000a', 'f1000000-0000-4000-8000-00000000000a'),
    ('c0170000-0000-4000-8000-00000000000b', '1ead0000-0000-4000-8000-00000000000b', 'f1000000-0000-4000-8000-00000000000b');
INSERT INTO messages (id, conversation_id, direction, content, message_type, media_url, whatsapp_message_id, status, error_message, created_at)
VALUES
    ('a0000000-0000-4000-8000-00000000000a', 'c0170000-0000-4000-8000-00000000000a', 'inbound', 'oldest', 'image', 'https://check.invalid/a.png', 'wamid.check-a', 'failed', 'error a', '1970-01-01 00:00:00+00'),
    ('a0000000-0000-4000-8000-00000000000b', 'c0170000-0000-4000-8000-00000000000a', 'outbound', 'second', 'text', NULL, NULL, 'read', NULL, '1970-01-02 00:00:00+00'),
    ('a0000000-0000-4000-8000-00000000000c', 'c0170000-0000-4000-8000-00000000000b', 'outbound', 'over two years', 'text', NULL, NULL, 'read', NULL, now() - INTERVAL '2 years 1 day'),
    ('a0000000-0000-4000-8000-00000000000d', 'c0170000-0000-4000-8000-00000000000b', 'outbound', 'under two years', 'text', NULL, NULL, 'read', NULL, now() - INTERVAL '1 year 364 days'),
    ('a0000000-0000-4000-8000-00000000000e', 'c0170000-0000-4000-8000-00000000000b', 'outbound', 'new', 'text', NULL, NULL, 'read', NULL, now());

CREATE TEMPORARY TABLE before ON COMMIT DROP AS
SELECT m.id, to_jsonb(m) AS columns FROM messages AS m WHERE m.conversation_id IN ('c0170000-0000-4000-8000-00000000000a', 'c0170000-0000-4000-8000-00000000000b');

-- With these a batch that can be found anew for each row, is: it must keep its size under every plan.
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_hashagg = off;
SET LOCAL enable_sort = off;
SET LOCAL enable_material = off;
SELECT pg_temp.expect('the size of a batch of one', archive_messages('2 years', 1)::TEXT, '1');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_hashagg;
RESET enable_sort;
RESET enable_material;
SELECT pg_temp.expect('what a batch of one moves', string_agg(a.content, ', '), 'oldest')
FROM messages_archive AS a
WHERE a.conversation_id IN ('c0170000-0000-4000-8000-00000000000a', 'c0170000-0000-4000-8000-00000000000b');

-- One that was copied back, and changed since.
INSERT INTO messages_archive (id, conversation_id, direction, content, message_type, status, created_at, archived_at)
VALUES ('a0000000-0000-4000-8000-00000000000b', 'c0170000-0000-4000-8000-00000000000a', 'outbound', 'first version', 'text', 'sent', '1970-01-02 00:00:00+00', '2000-01-01 00:00:00+00');

SELECT archive_messages(p_limit => 2147483647);
SELECT pg_temp.expect('what stays', string_agg(m.content, ', ' ORDER BY m.created_at), 'under two years, new')
FROM messages AS m
WHERE m.conversation_id IN ('c0170000-0000-4000-8000-00000000000a', 'c0170000-0000-4000-8000-00000000000b');
SELECT pg_temp.expect('what is archived', string_agg(a.content, ', ' ORDER BY a.created_at), 'oldest, second, over two years')
FROM messages_archive AS a
WHERE a.conversation_id IN ('c0170000-0000-4000-8000-00000000000a', 'c0170000-0000-4000-8000-00000000000b') AND a.archived_at = now();
SELECT pg_temp.expect('archived messages that lost a value', string_agg(a.content, ', '), NULL)
FROM messages_archive AS a
JOIN before AS b ON b.id = a.id
WHERE to_jsonb(a) - 'archived_at' IS DISTINCT FROM b.columns;
SELECT pg_temp.expect('what the next batch finds', archive_messages('2 years', 2147483647)::TEXT, '0');

-- A column that messages get later must come into the archive too, and into archive_messages.
SELECT pg_temp.expect('columns of messages that the archive lacks', string_agg(m.attname, ', '), NULL)
FROM pg_catalog.pg_attribute AS m
WHERE m.attrelid = 'messages'::REGCLASS
  AND m.attnum > 0
  AND NOT m.attisdropped
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_attribute AS a
      WHERE a.attrelid = 'messages_archive'::REGCLASS
        AND a.attname = m.attname
        AND (a.atttypid, a.atttypmod) = (m.atttypid, m.atttypmod)
  );

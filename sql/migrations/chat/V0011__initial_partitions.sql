-- chat V0011: the partitions that messages need from today on, computed from the server's clock in UTC: from this month
--             to three ahead.
-- Lock: SHARE UPDATE EXCLUSIVE on messages, which stops neither reads nor writes, and SHARE ROW EXCLUSIVE on users,
--       chat_rooms and message_keys, which stops writes; catalog only.

SELECT create_monthly_partitions();

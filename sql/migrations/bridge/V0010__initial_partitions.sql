-- bridge V0010: the partitions that inserts need from today on, computed from the server's clock in UTC:
--               months from this one to three ahead, quarters this one and the next.
-- Lock: SHARE UPDATE EXCLUSIVE on the three partitioned tables, which stops neither reads nor writes; catalog only.

SELECT create_monthly_partitions();

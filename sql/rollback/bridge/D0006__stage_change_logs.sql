-- bridge D0006: undoes V0006; the rows of stage_change_logs are lost.
-- Lock: ACCESS EXCLUSIVE on the table, held for catalog changes only.

DROP TABLE stage_change_logs;

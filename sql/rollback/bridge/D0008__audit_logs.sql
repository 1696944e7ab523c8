-- bridge D0008: undoes V0008; the rows of audit_logs are lost.
-- Lock: ACCESS EXCLUSIVE on the table, held for catalog changes only.

DROP TABLE audit_logs;

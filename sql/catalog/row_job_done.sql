-- Which partitions has a row job visited for good?
-- Server: 14.
-- Rights: SELECT on dbctl.row_job.
SELECT relation::int8 AS relation, until
FROM dbctl.row_job
WHERE job = $1

-- What does dbctl know of the applied migrations of this history table?
-- Server: 14.
-- Rights: SELECT on dbctl.migration.
SELECT m.version, m.system, m.normal_form
FROM dbctl.migration AS m
WHERE m.history = $1
ORDER BY m.version

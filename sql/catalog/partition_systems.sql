-- Which embedded systems does this database hold?
-- Server: 14.
-- Rights: SELECT on dbctl.migration.
SELECT DISTINCT m.system
FROM dbctl.migration AS m
WHERE m.system IS NOT NULL
ORDER BY m.system

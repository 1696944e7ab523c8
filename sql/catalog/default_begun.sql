-- What has been begun with this DEFAULT partition and not ended?
-- Server: 14.
-- Rights: SELECT on dbctl.adoption.
SELECT a.plan::text AS plan
FROM dbctl.adoption AS a
WHERE a.relation = $1::oid AND a.state = 'begun'

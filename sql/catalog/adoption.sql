-- How far has the adoption of this table, or of one that had its name, come?
-- Server: 14.
-- Rights: SELECT on dbctl.adoption.
SELECT
    a.relation::int8 AS relation,
    a.plan::text AS plan,
    a.state
FROM dbctl.adoption AS a
WHERE (a.relation = $1::oid AND a.state = 'begun') OR (a.table_name = $2 AND a.state = 'swapped')
ORDER BY a.changed_at DESC
LIMIT 1

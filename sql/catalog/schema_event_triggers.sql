-- What event triggers are there?
-- Server: 14.
-- Rights: none.
SELECT
    'event_trigger' AS kind,
    t.evtname AS name,
    pg_catalog.pg_get_userbyid(t.evtowner) AS owner,
    t.evtevent AS event,
    t.evttags AS tags,
    t.evtfoid::REGPROC::TEXT AS function,
    CASE t.evtenabled WHEN 'D' THEN 'no' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END AS enabled,
    pg_catalog.obj_description(t.oid, 'pg_event_trigger') AS comment
FROM pg_catalog.pg_event_trigger AS t
WHERE NOT EXISTS (
    SELECT
    FROM pg_catalog.pg_depend AS e
    WHERE e.classid = 'pg_catalog.pg_event_trigger'::REGCLASS
      AND e.objid = t.oid
      AND e.deptype = 'e'
)

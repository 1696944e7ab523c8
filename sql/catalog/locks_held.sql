-- Who waits for a lock, who does the server name as in the way, and which locks are held on the same things?
-- Server: 14.
-- Rights: none.
WITH l AS MATERIALIZED (
    SELECT
        k.pid, k.locktype, k.mode, k.granted, k.database, k.relation, k.transactionid, k.virtualtransaction, k.waitstart,
        pg_catalog.format(
            '%s %s %s %s %s %s %s %s %s %s', k.locktype, k.database, k.relation, k.page, k.tuple, k.virtualxid,
            k.transactionid, k.classid, k.objid, k.objsubid
        ) AS thing,
        -- As it was asked for: one bigint, or two integers.
        CASE
            WHEN k.locktype = 'advisory' AND k.objsubid = 1
                THEN ((k.classid::int8 << 32) | k.objid::int8)::text
            WHEN k.locktype = 'advisory' THEN pg_catalog.format('%s, %s', k.classid, k.objid)
        END AS key
    FROM pg_catalog.pg_locks AS k
)
SELECT
    l.pid,
    l.locktype,
    l.mode,
    l.granted,
    l.thing,
    l.key,
    l.database::int8 AS database,
    l.relation::int8 AS relation,
    l.transactionid::text::int8 AS transaction,
    l.virtualtransaction,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - l.waitstart)::float8 AS wait_seconds,
    CASE
        WHEN l.granted THEN NULL
        -- On a standby only the replay asks for this lock, of whom pg_blocking_pids knows nothing; everybody is in its way.
        WHEN l.mode = 'AccessExclusiveLock' AND pg_catalog.pg_is_in_recovery() THEN ARRAY(
            SELECT DISTINCT h.pid FROM l AS h WHERE h.granted AND h.thing = l.thing AND h.pid <> l.pid
        )
        ELSE pg_catalog.pg_blocking_pids(l.pid)
    END AS blockers
FROM l
WHERE NOT l.granted
    OR (l.pid IS NULL AND l.locktype = 'transactionid')
    OR l.thing IN (SELECT w.thing FROM l AS w WHERE NOT w.granted)
    OR (l.locktype = 'tuple' AND l.pid IN (SELECT w.pid FROM l AS w WHERE NOT w.granted))

-- check: a stage change lands in the partition of its quarter at UTC and names one of three sources.

-- Runs p_sql and wants it to fail with p_sqlstate, because of p_constraint where one is named.
CREATE FUNCTION pg_temp.must_fail(p_what TEXT, p_sqlstate TEXT, p_sql TEXT, p_constraint TEXT DEFAULT NULL)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_constraint TEXT;
BEGIN
    BEGIN
        EXECUTE p_sql;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
        IF SQLSTATE <> p_sqlstate OR v_constraint <> p_constraint THEN
            RAISE EXCEPTION 'check failed: % gives % (%), not % %', p_what, SQLSTATE, SQLERRM, p_sqlstate, p_constraint;
        END IF;
        RETURN;
    END;
    RAISE EXCEPTION 'check failed: % is accepted', p_what;
END;
$$;

SELECT create_monthly_partitions();

CREATE TEMPORARY TABLE check_edges ON COMMIT DROP AS
SELECT
    9000000000000000 + row_number() OVER (ORDER BY e.at) AS lead_id,
    e.at,
    p.partition
FROM list_range_partitions('stage_change_logs') AS p
CROSS JOIN LATERAL (VALUES (p.lower_bound), (p.upper_bound - INTERVAL '1 microsecond')) AS e (at)
WHERE isfinite(p.lower_bound)
  AND isfinite(p.upper_bound);

INSERT INTO stage_change_logs (krayin_lead_id, new_stage, trigger_source, created_at)
SELECT e.lead_id, 'contacted', 'webhook', e.at
FROM check_edges AS e;

DO $$
DECLARE
    v_wrong RECORD;
BEGIN
    SELECT e.at, e.partition, s.tableoid::REGCLASS AS landed INTO v_wrong
    FROM check_edges AS e
    LEFT JOIN stage_change_logs AS s ON s.krayin_lead_id = e.lead_id
    WHERE s.tableoid::REGCLASS IS DISTINCT FROM e.partition
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'check failed: a stage change of % landed in %, not in %', v_wrong.at, v_wrong.landed, v_wrong.partition;
    END IF;

    INSERT INTO stage_change_logs (krayin_lead_id, previous_stage, new_stage, trigger_source, chatwoot_conversation_id,
                                   chatwoot_status, changed_by_user_id)
    VALUES
        (9000000000009001, NULL, 'new', 'webhook', 9000000000000001, 'open', NULL),
        (9000000000009001, 'new', 'contacted', 'manual', NULL, NULL, 9000000000000001),
        (9000000000009001, 'contacted', 'won', 'automation', NULL, NULL, NULL);

    IF 3 <> (SELECT count(*) FROM stage_change_logs AS s WHERE s.krayin_lead_id = 9000000000009001 AND s.created_at = now()) THEN
        RAISE EXCEPTION 'check failed: three stage changes of now are not stored at now';
    END IF;
END;
$$;

SELECT pg_temp.must_fail(format('the source %L', s.source), '23514',
    format('INSERT INTO stage_change_logs (krayin_lead_id, new_stage, trigger_source) VALUES (9000000000009002, ''new'', %L)', s.source),
    'chk_stage_change_logs_trigger_source')
FROM unnest(ARRAY['cron', 'Manual', '']) AS s (source);

SELECT pg_temp.must_fail(format('a stage change without %I', c.name), '23502',
    format('UPDATE stage_change_logs SET %I = NULL WHERE krayin_lead_id = 9000000000009001', c.name))
FROM unnest(ARRAY['krayin_lead_id', 'new_stage', 'trigger_source']) AS c (name);

SELECT pg_temp.must_fail('a second row with the same id and created_at', '23505', $sql$
    INSERT INTO stage_change_logs (id, krayin_lead_id, new_stage, trigger_source, created_at)
    SELECT s.id, s.krayin_lead_id, s.new_stage, s.trigger_source, s.created_at
    FROM stage_change_logs AS s
    WHERE s.krayin_lead_id = 9000000000009001
$sql$);

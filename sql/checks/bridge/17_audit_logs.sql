-- check: audit rows land in the partition of their quarter at UTC, name one of five actions, and are never changed or deleted.

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
    9000000000000000 + row_number() OVER (ORDER BY e.at) AS model_id,
    e.at,
    p.partition
FROM list_range_partitions('audit_logs') AS p
CROSS JOIN LATERAL (VALUES (p.lower_bound), (p.upper_bound - INTERVAL '1 microsecond')) AS e (at)
WHERE isfinite(p.lower_bound)
  AND isfinite(p.upper_bound);

INSERT INTO audit_logs (action, model, model_id, ip_address, user_agent, created_at)
SELECT 'read', 'check', e.model_id, '2001:db8::1', 'check', e.at
FROM check_edges AS e;

DO $$
DECLARE
    v_wrong RECORD;
BEGIN
    SELECT e.at, e.partition, a.tableoid::REGCLASS AS landed INTO v_wrong
    FROM check_edges AS e
    LEFT JOIN audit_logs AS a ON a.model = 'check' AND a.model_id = e.model_id
    WHERE a.tableoid::REGCLASS IS DISTINCT FROM e.partition
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'check failed: an audit row of % landed in %, not in %', v_wrong.at, v_wrong.landed, v_wrong.partition;
    END IF;

    INSERT INTO audit_logs (action, model, model_id, ip_address, user_agent)
    SELECT a.action, 'check', 9000000000009001, '2001:db8::1', 'check'
    FROM unnest(ARRAY['create', 'read', 'update', 'delete', 'export']) AS a (action);

    IF 5 <> (SELECT count(*) FROM audit_logs AS a WHERE a.model_id = 9000000000009001 AND a.created_at = now()) THEN
        RAISE EXCEPTION 'check failed: five audit rows of now are not stored at now';
    END IF;
END;
$$;

SELECT pg_temp.must_fail(format('the action %L', a.action), '23514',
    format('INSERT INTO audit_logs (action, model, ip_address, user_agent) VALUES (%L, ''check'', ''::1'', ''check'')', a.action),
    'chk_audit_logs_action')
FROM unnest(ARRAY['login', 'Create', '']) AS a (action);

SELECT pg_temp.must_fail(format('an audit row without %I', c.name), '23502',
    format('INSERT INTO audit_logs (action, model, ip_address, user_agent) VALUES (%s)', (
        SELECT string_agg(CASE WHEN v.name = c.name THEN 'NULL' ELSE v.value END, ', ' ORDER BY v.n)
        FROM (VALUES
            (1, 'action', '''read'''),
            (2, 'model', '''check'''),
            (3, 'ip_address', '''::1'''),
            (4, 'user_agent', '''check''')
        ) AS v (n, name, value)
    )))
FROM unnest(ARRAY['action', 'model', 'ip_address', 'user_agent']) AS c (name);

SELECT pg_temp.must_fail('changing an audit row', '42501',
    'UPDATE audit_logs SET user_id = 1 WHERE model_id = 9000000000009001');
SELECT pg_temp.must_fail('changing an audit row by ON CONFLICT', '42501', $sql$
    INSERT INTO audit_logs (id, action, model, ip_address, user_agent, created_at)
    SELECT a.id, 'read', 'check', '::1', 'check', a.created_at
    FROM audit_logs AS a
    WHERE a.model_id = 9000000000009001
    ON CONFLICT (id, created_at) DO UPDATE SET action = 'read'
$sql$);
SELECT pg_temp.must_fail('moving an audit row to another quarter', '42501',
    'UPDATE audit_logs SET created_at = created_at + INTERVAL ''3 months'' WHERE model_id = 9000000000009001');
SELECT pg_temp.must_fail('deleting an audit row', '42501',
    'DELETE FROM audit_logs WHERE model_id = 9000000000009001');
SELECT pg_temp.must_fail('deleting an audit row from its partition', '42501',
    format('DELETE FROM %s WHERE model_id = 9000000000009001', a.tableoid::REGCLASS))
FROM audit_logs AS a
WHERE a.model_id = 9000000000009001
LIMIT 1;
SELECT pg_temp.must_fail('truncating the audit rows', '42501', 'TRUNCATE audit_logs');

-- The rows are all still there, and a statement that touches no row is none.
DO $$
BEGIN
    DELETE FROM audit_logs WHERE model_id = 9000000000009002;
    IF 5 <> (SELECT count(*) FROM audit_logs AS a WHERE a.model_id = 9000000000009001 AND a.user_id IS NULL) THEN
        RAISE EXCEPTION 'check failed: audit rows were changed';
    END IF;
END;
$$;

-- check: retention refuses to keep nothing, a negative time or an unknown one, and batches of none, also on empty tables.

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
-- Every call below fails: nothing is ever lost for a check.
SELECT pg_temp.must_fail(format('%s(%s)', f.name, v.arguments), '22023', format('SELECT %s(%s)', f.name, v.arguments))
FROM (VALUES ('cleanup_webhook_events'), ('anonymize_audit_ips'), ('purge_closed_consultants')) AS f (name)
CROSS JOIN (VALUES ('0'), ('-1'), ('NULL'), ('36500, 0'), ('36500, -1'), ('36500, NULL')) AS v (arguments);

SELECT pg_temp.must_fail(format('%s(%s)', f.name, v.arguments), '22023', format('SELECT %s(%s)', f.name, v.arguments))
FROM (VALUES ('cleanup_audit_logs'), ('archive_messages')) AS f (name)
CROSS JOIN (VALUES ('''23 hours'''), ('''-2 years'''), ('NULL'), ('''100 years'', 0'), ('''100 years'', NULL')) AS v (arguments);

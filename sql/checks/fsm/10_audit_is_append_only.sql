-- check: nobody changes or deletes a row of the audit log, not even its owner, neither through the table nor through a partition.

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
-- An id of this check: no other row has it.
CREATE FUNCTION pg_temp.u(p_n INTEGER)
RETURNS UUID
LANGUAGE sql
AS $$ SELECT ('f5c0ffee-0000-4000-8000-' || lpad(p_n::TEXT, 12, '0'))::UUID $$;

INSERT INTO auth.users (id, email, password_hash)
VALUES (pg_temp.u(1), 'check-1@fsm.invalid', 'hash');

DO $$
DECLARE
    v_partition REGCLASS;
    v_table TEXT;
BEGIN
    SELECT l.tableoid::REGCLASS INTO STRICT v_partition
    FROM audit.audit_log AS l
    WHERE l.record_id = pg_temp.u(1)::TEXT;

    FOREACH v_table IN ARRAY ARRAY['audit.audit_log', v_partition::TEXT] LOOP
        PERFORM pg_temp.must_fail('UPDATE ' || v_table, '42501',
            format('UPDATE %s SET user_id = NULL WHERE record_id = %L', v_table, pg_temp.u(1)));
        PERFORM pg_temp.must_fail('DELETE FROM ' || v_table, '42501',
            format('DELETE FROM %s WHERE record_id = %L', v_table, pg_temp.u(1)));
    END LOOP;
    PERFORM pg_temp.must_fail('TRUNCATE audit.audit_log', '42501', 'TRUNCATE audit.audit_log');
    PERFORM pg_temp.must_fail('moving an entry to another month', '42501',
        format('UPDATE audit.audit_log SET created_at = created_at + INTERVAL ''1 month'' WHERE record_id = %L', pg_temp.u(1)));
END;
$$;

SELECT pg_temp.must_fail('an action that is none', '23514',
    'INSERT INTO audit.audit_log (table_name, record_id, action) VALUES (''t'', ''1'', ''TRUNCATE'')');

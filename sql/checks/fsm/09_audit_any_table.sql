-- check: the audit trigger works on a table with any kind of key, and writes no token.

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

CREATE SCHEMA check_f5c0ffee;
CREATE TABLE check_f5c0ffee.numbered (id BIGSERIAL PRIMARY KEY, name TEXT, token_hash TEXT);
CREATE TABLE check_f5c0ffee.coded (code TEXT PRIMARY KEY, name TEXT);
CREATE TABLE check_f5c0ffee.pairs (a INT, b INT, name TEXT, PRIMARY KEY (a, b));
CREATE TABLE check_f5c0ffee.keyless (name TEXT);

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON check_f5c0ffee.numbered
    FOR EACH ROW EXECUTE FUNCTION audit.log_changes();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON check_f5c0ffee.coded
    FOR EACH ROW EXECUTE FUNCTION audit.log_changes('code');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON check_f5c0ffee.pairs
    FOR EACH ROW EXECUTE FUNCTION audit.log_changes('a', 'b');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON check_f5c0ffee.keyless
    FOR EACH ROW EXECUTE FUNCTION audit.log_changes();

INSERT INTO check_f5c0ffee.numbered (id, name, token_hash)
VALUES (7, 'seven', 'secret');
INSERT INTO check_f5c0ffee.coded (code, name)
VALUES ('ES', 'Spain');
INSERT INTO check_f5c0ffee.pairs (a, b, name)
VALUES (2, 3, 'two and three');

DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(format('%s %s %s', l.table_name, l.record_id, l.new_values), E'\n' ORDER BY l.id) INTO v_found
    FROM audit.audit_log AS l
    WHERE l.table_schema = 'check_f5c0ffee';
    IF v_found IS DISTINCT FROM concat_ws(E'\n',
        'numbered 7 {"id": 7, "name": "seven"}',
        'coded ES {"code": "ES", "name": "Spain"}',
        'pairs 2,3 {"a": 2, "b": 3, "name": "two and three"}') THEN
        RAISE EXCEPTION E'check failed: the log has\n%', v_found;
    END IF;
END;
$$;

-- Not silently: a log that cannot say which row is none.
SELECT pg_temp.must_fail('a table without the key column', '42703', 'INSERT INTO check_f5c0ffee.keyless (name) VALUES (''x'')');

-- An identity that is none is not taken for nobody.
SET LOCAL app.current_user_id = 'not a uuid';
SELECT pg_temp.must_fail('an identity that is no UUID', '22P02', 'UPDATE check_f5c0ffee.coded SET name = ''España''');

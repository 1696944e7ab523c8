-- check: auth.uid() is the subject of the request's JWT, NULL where there is none or an earlier transaction left the setting empty, an error where it is no UUID.

CREATE FUNCTION pg_temp.expect(p_what TEXT, p_got TEXT, p_wanted TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    IF p_got IS DISTINCT FROM p_wanted THEN
        RAISE EXCEPTION 'check failed: % is %, not %', p_what, COALESCE(p_got, 'null'), COALESCE(p_wanted, 'null');
    END IF;
END;
$$;
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
SELECT set_config('request.jwt.claim.sub', '', TRUE), set_config('request.jwt.claims', '', TRUE);
DO $$
BEGIN
    PERFORM pg_temp.expect('the identity with empty settings', auth.uid()::TEXT, NULL);
EXCEPTION WHEN invalid_text_representation THEN
    RAISE EXCEPTION 'check failed: with empty settings auth.uid() gives: %', SQLERRM;
END;
$$;

SELECT set_config('request.jwt.claims', '{"role": "authenticated", "sub": "c0000000-0000-4000-8000-00000000000a"}', TRUE);
SELECT pg_temp.expect('the identity by claims', auth.uid()::TEXT, 'c0000000-0000-4000-8000-00000000000a');

SELECT set_config('request.jwt.claim.sub', 'c0000000-0000-4000-8000-00000000000b', TRUE);
SELECT pg_temp.expect('the identity by claim.sub', auth.uid()::TEXT, 'c0000000-0000-4000-8000-00000000000b');

SELECT set_config('request.jwt.claim.sub', '', TRUE), set_config('request.jwt.claims', '{"role": "anon"}', TRUE);
SELECT pg_temp.expect('the identity without subject', auth.uid()::TEXT, NULL);

SELECT set_config('request.jwt.claims', '{"sub": "everybody"}', TRUE);
SELECT pg_temp.must_fail('a subject that is no UUID', '22P02', 'SELECT auth.uid()');

SELECT set_config('request.jwt.claims', 'nonsense', TRUE);
SELECT pg_temp.must_fail('claims that are no JSON', '22P02', 'SELECT auth.uid()');

DO $$
BEGIN
    IF NOT has_function_privilege('authenticated', 'auth.uid()', 'EXECUTE') OR NOT has_schema_privilege('authenticated', 'auth', 'USAGE') THEN
        RAISE EXCEPTION 'check failed: authenticated cannot call auth.uid()';
    END IF;
    IF has_schema_privilege('authenticated', 'auth', 'CREATE') OR has_schema_privilege('anon', 'auth', 'CREATE') THEN
        RAISE EXCEPTION 'check failed: API roles may create in the schema auth';
    END IF;
END;
$$;

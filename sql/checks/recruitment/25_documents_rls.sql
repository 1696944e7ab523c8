-- dbctl: part vector
-- check: authenticated reads documents and searches them, service_role writes them, anybody else gets nothing.

-- The type and its operators may live in a schema of their own.
SELECT set_config('search_path', format('%s, %I', current_setting('search_path'), n.nspname), TRUE)
FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = 'vector';

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

-- Runs p_sql as p_role. Where the session may not take that role, it is granted for the length of this check.
CREATE FUNCTION pg_temp.run_as(p_role NAME, p_sql TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_role TEXT := current_setting('role');
BEGIN
    BEGIN
        PERFORM set_config('role', p_role, TRUE);
    EXCEPTION WHEN insufficient_privilege THEN
        BEGIN
            EXECUTE format('GRANT %I TO CURRENT_USER', p_role);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'check failed: cannot become "%": run as a superuser, or first: GRANT % TO %',
                p_role, quote_ident(p_role), quote_ident(current_user);
        END;
        PERFORM set_config('role', p_role, TRUE);
    END;

    EXECUTE p_sql;
    PERFORM set_config('role', v_role, TRUE);
END;
$$;

DO $$
DECLARE
    v_found TEXT;
BEGIN
    IF NOT (SELECT t.relrowsecurity FROM pg_catalog.pg_class AS t WHERE t.oid = 'documents'::REGCLASS) THEN
        RAISE EXCEPTION 'check failed: row level security of documents is off';
    END IF;

    -- By name and meaning too: a service_role that has BYPASSRLS from another database would not notice its policy gone.
    SELECT string_agg(want.name, ', ') INTO v_found
    FROM (VALUES
        ('Allow read access to authenticated users', 'r', 'authenticated', 'true', NULL),
        ('Allow insert/update for service role', '*', 'service_role', 'true', 'true')
    ) AS want (name, command, role, using_expression, check_expression)
    WHERE NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_policy AS p
        WHERE p.polrelid = 'documents'::REGCLASS
          AND p.polname = want.name
          AND p.polcmd::TEXT = want.command
          AND p.polpermissive
          AND p.polroles = ARRAY[want.role::REGROLE::OID]
          AND pg_get_expr(p.polqual, p.polrelid) IS NOT DISTINCT FROM want.using_expression
          AND pg_get_expr(p.polwithcheck, p.polrelid) IS NOT DISTINCT FROM want.check_expression
    );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: missing or different policy: %', v_found;
    END IF;

    IF has_table_privilege('authenticated', 'documents', 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
       OR has_table_privilege('service_role', 'documents', 'TRUNCATE, REFERENCES, TRIGGER')
       OR has_table_privilege('public', 'documents', 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') THEN
        RAISE EXCEPTION 'check failed: rights to documents that nobody was to have';
    END IF;
END;
$$;

INSERT INTO documents (title, content, category, metadata, embedding)
VALUES ('check', 'check', 'faq', '{"check": true}', array_fill(1::REAL, ARRAY[1536])::VECTOR);

SELECT pg_temp.run_as('authenticated', $sql$
    DO $do$
    BEGIN
        IF NOT EXISTS (SELECT FROM documents AS d WHERE d.title = 'check') THEN
            RAISE EXCEPTION 'check failed: authenticated sees no documents';
        END IF;
        IF NOT EXISTS (
            SELECT
            FROM match_documents(
                (SELECT d.embedding FROM documents AS d WHERE d.title = 'check'),
                filter_category := 'faq',
                filter_metadata := '{"check": {"$eq": true}}'
            ) AS m
            WHERE m.title = 'check'
        ) THEN
            RAISE EXCEPTION 'check failed: authenticated finds no documents';
        END IF;
    END;
    $do$
$sql$);

SELECT pg_temp.must_fail('authenticated ' || s.sql, '42501', format('SELECT pg_temp.run_as(''authenticated'', %L)', s.sql))
FROM unnest(ARRAY[
    'INSERT INTO documents (content) VALUES (''check'')',
    'UPDATE documents SET content = ''changed'' WHERE title = ''check''',
    'DELETE FROM documents WHERE title = ''check''',
    'TRUNCATE documents'
]) AS s (sql);

SELECT pg_temp.run_as('service_role', $sql$
    DO $do$
    DECLARE
        v_id INT;
        v_rows INT;
    BEGIN
        INSERT INTO documents (title, content, category) VALUES ('check written', 'check', 'policy') RETURNING id INTO v_id;

        UPDATE documents SET content = 'changed', is_active = FALSE WHERE id = v_id;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        IF v_rows <> 1 THEN
            RAISE EXCEPTION 'check failed: service_role changed % rows', v_rows;
        END IF;

        DELETE FROM documents WHERE id = v_id;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        IF v_rows <> 1 THEN
            RAISE EXCEPTION 'check failed: service_role deleted % rows', v_rows;
        END IF;
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'check failed: service_role cannot write documents: %', SQLERRM;
    END;
    $do$
$sql$);

SELECT pg_temp.must_fail('service_role emptying the table past the policies', '42501', $sql$
    SELECT pg_temp.run_as('service_role', 'TRUNCATE documents')
$sql$);

-- consultor D0009: undoes V0009: the policies go, and what was granted to anon, authenticated and service_role. Row security
--                  stays on, as V0002 to V0007 set it: nobody but the owner sees a row. What the server's default
--                  privileges had granted before V0009 is not given back.
-- Lock: ACCESS EXCLUSIVE on each table, held for catalog changes only.

DROP POLICY "Service role has full access" ON audit_logs;
DROP POLICY "Service role has full access" ON webhook_events;
DROP POLICY "Service role has full access" ON generated_images;
DROP POLICY "Service role has full access" ON ai_responses;
DROP POLICY "Service role has full access" ON messages_archive;
DROP POLICY "Service role has full access" ON messages;
DROP POLICY "Service role has full access" ON conversations;
DROP POLICY "Service role has full access" ON flows;
DROP POLICY "Service role has full access" ON leads;
DROP POLICY "Service role has full access" ON consultants;
DROP POLICY "Consultants can view own generated images" ON generated_images;
DROP POLICY "Consultants can view AI responses for own leads" ON ai_responses;
DROP POLICY "Consultants can view archived messages for own conversations" ON messages_archive;
DROP POLICY "Consultants can view messages for own conversations" ON messages;
DROP POLICY "Consultants can view conversations for own leads" ON conversations;
DROP POLICY "Consultants can update own flows" ON flows;
DROP POLICY "Consultants can create own flows" ON flows;
DROP POLICY "Consultants can view templates and own flows" ON flows;
DROP POLICY "System can insert leads" ON leads;
DROP POLICY "Consultants can update own leads" ON leads;
DROP POLICY "Consultants can view own leads" ON leads;
DROP POLICY "Consultants can update own data" ON consultants;
DROP POLICY "Consultants can view own data" ON consultants;

REVOKE ALL ON
    consultants, leads, flows, conversations, messages, messages_archive, ai_responses, generated_images,
    webhook_events, audit_logs
FROM anon, authenticated, service_role;

-- REVOKE ALL on a table takes the grants on its columns along. USAGE on the schema: only where V0009 gave it.
DO $$
DECLARE
    v_comment TEXT := obj_description('pin_search_path(REGPROCEDURE)'::REGPROCEDURE, 'pg_proc');
    v_schema REGNAMESPACE;
    v_role TEXT;
BEGIN
    IF v_comment LIKE 'V0009 granted USAGE on this schema to: %' THEN
        SELECT c.relnamespace::REGNAMESPACE INTO STRICT v_schema
        FROM pg_catalog.pg_class AS c
        WHERE c.oid = 'consultants'::REGCLASS;

        FOREACH v_role IN ARRAY string_to_array(split_part(v_comment, ': ', 2), ', ') LOOP
            EXECUTE format('REVOKE USAGE ON SCHEMA %s FROM %I', v_schema, v_role);
        END LOOP;

        COMMENT ON FUNCTION pin_search_path(REGPROCEDURE) IS NULL;
    END IF;
END;
$$;

-- consultor V0009: who may see and change what. A consultant (authenticated) works on own rows only, and on named columns
--                  where a row also holds what is not theirs to change; service_role (webhooks, jobs) on everything;
--                  anon on nothing.
-- Lock: ACCESS EXCLUSIVE on each table, held for catalog changes only.

-- Some servers (Supabase) grant everything on every new table to these roles, TRUNCATE too, which no policy stops.
REVOKE ALL ON
    consultants, leads, flows, conversations, messages, messages_archive, ai_responses, generated_images,
    webhook_events, audit_logs
FROM PUBLIC, anon, authenticated, service_role;

-- The schema of the tables, where it is not open to everybody as public is. The comment tells the rollback who got it.
DO $$
DECLARE
    v_schema REGNAMESPACE;
    v_role TEXT;
    v_granted TEXT[] := '{}';
BEGIN
    SELECT c.relnamespace::REGNAMESPACE INTO STRICT v_schema
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = 'consultants'::REGCLASS;

    FOREACH v_role IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
        IF NOT has_schema_privilege(v_role, v_schema::OID, 'USAGE') THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %s TO %I', v_schema, v_role);
            v_granted := v_granted || v_role;
        END IF;
    END LOOP;

    IF v_granted <> '{}' THEN
        EXECUTE format('COMMENT ON FUNCTION pin_search_path(REGPROCEDURE) IS %L',
                       'V0009 granted USAGE on this schema to: ' || array_to_string(v_granted, ', '));
    END IF;
END;
$$;

-- consultants: not the password hash, and no change of tier, slug, email or state.
GRANT SELECT (
    id, email, name, bio, crm_number, whatsapp_number, vertical, slug, profile_image_url, is_active,
    subscription_tier, subscription_expires_at, created_at, updated_at, deactivated_at
) ON consultants TO authenticated;
GRANT UPDATE (name, bio, crm_number, whatsapp_number, profile_image_url) ON consultants TO authenticated;

CREATE POLICY "Consultants can view own data"
    ON consultants FOR SELECT TO authenticated
    USING (id = (SELECT auth.uid()));

CREATE POLICY "Consultants can update own data"
    ON consultants FOR UPDATE TO authenticated
    USING (id = (SELECT auth.uid()))
    WITH CHECK (id = (SELECT auth.uid()));

-- leads: made by webhooks only. Not id, consultant_id and created_at: the last one counts towards the monthly limit.
GRANT SELECT ON leads TO authenticated;
GRANT UPDATE (whatsapp_number, name, profile_name, status, respostas, metadata, last_interaction_at) ON leads TO authenticated;

CREATE POLICY "Consultants can view own leads"
    ON leads FOR SELECT TO authenticated
    USING (consultant_id = (SELECT auth.uid()));

CREATE POLICY "Consultants can update own leads"
    ON leads FOR UPDATE TO authenticated
    USING (consultant_id = (SELECT auth.uid()))
    WITH CHECK (consultant_id = (SELECT auth.uid()));

CREATE POLICY "System can insert leads"
    ON leads FOR INSERT TO service_role
    WITH CHECK (TRUE);

-- flows: a template is shown to everybody, so only the system may make one.
GRANT SELECT, INSERT ON flows TO authenticated;
GRANT UPDATE (name, vertical, description, definition, version, is_active) ON flows TO authenticated;

CREATE POLICY "Consultants can view templates and own flows"
    ON flows FOR SELECT TO authenticated
    USING (is_template OR created_by = (SELECT auth.uid()));

CREATE POLICY "Consultants can create own flows"
    ON flows FOR INSERT TO authenticated
    WITH CHECK (created_by = (SELECT auth.uid()) AND NOT is_template);

CREATE POLICY "Consultants can update own flows"
    ON flows FOR UPDATE TO authenticated
    USING (created_by = (SELECT auth.uid()) AND NOT is_template)
    WITH CHECK (created_by = (SELECT auth.uid()) AND NOT is_template);

-- What belongs to a lead is read through the lead.
GRANT SELECT ON conversations, messages, messages_archive, ai_responses, generated_images TO authenticated;

CREATE POLICY "Consultants can view conversations for own leads"
    ON conversations FOR SELECT TO authenticated
    USING (
        lead_id IN (
            SELECT l.id FROM leads AS l WHERE l.consultant_id = (SELECT auth.uid())
        )
    );

CREATE POLICY "Consultants can view messages for own conversations"
    ON messages FOR SELECT TO authenticated
    USING (
        conversation_id IN (
            SELECT c.id
            FROM conversations AS c
            JOIN leads AS l ON l.id = c.lead_id
            WHERE l.consultant_id = (SELECT auth.uid())
        )
    );

CREATE POLICY "Consultants can view archived messages for own conversations"
    ON messages_archive FOR SELECT TO authenticated
    USING (
        conversation_id IN (
            SELECT c.id
            FROM conversations AS c
            JOIN leads AS l ON l.id = c.lead_id
            WHERE l.consultant_id = (SELECT auth.uid())
        )
    );

CREATE POLICY "Consultants can view AI responses for own leads"
    ON ai_responses FOR SELECT TO authenticated
    USING (
        lead_id IN (
            SELECT l.id FROM leads AS l WHERE l.consultant_id = (SELECT auth.uid())
        )
    );

CREATE POLICY "Consultants can view own generated images"
    ON generated_images FOR SELECT TO authenticated
    USING (consultant_id = (SELECT auth.uid()));

-- service_role: a role of the cluster that may have been made without BYPASSRLS, hence a policy on each table.
-- The audit trail it can read and add to, no more.
GRANT SELECT, INSERT, UPDATE, DELETE ON
    consultants, leads, flows, conversations, messages, messages_archive, ai_responses, generated_images, webhook_events
TO service_role;
GRANT SELECT, INSERT ON audit_logs TO service_role;

CREATE POLICY "Service role has full access" ON consultants TO service_role USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY "Service role has full access" ON leads TO service_role USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY "Service role has full access" ON flows TO service_role USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY "Service role has full access" ON conversations TO service_role USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY "Service role has full access" ON messages TO service_role USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY "Service role has full access" ON messages_archive TO service_role USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY "Service role has full access" ON ai_responses TO service_role USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY "Service role has full access" ON generated_images TO service_role USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY "Service role has full access" ON webhook_events TO service_role USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY "Service role has full access" ON audit_logs TO service_role USING (TRUE) WITH CHECK (TRUE);

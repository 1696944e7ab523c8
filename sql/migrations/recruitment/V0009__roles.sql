-- recruitment V0009: the roles authenticated (reads documents) and service_role (writes them), made if they are missing.
--                    Roles belong to the cluster: other databases may have made them, and may use them.
-- Lock: ACCESS EXCLUSIVE on no table; changes rights in the catalog only.

DO $$
DECLARE
    v_missing NAME[];
    v_statements TEXT;
    v_role NAME;
BEGIN
    SELECT COALESCE(array_agg(w.name ORDER BY w.name), '{}'), string_agg(format('CREATE ROLE %I NOLOGIN;', w.name), ' ' ORDER BY w.name)
    INTO v_missing, v_statements
    FROM unnest(ARRAY['authenticated', 'service_role']::NAME[]) AS w (name)
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = w.name);

    FOREACH v_role IN ARRAY v_missing LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
        EXCEPTION
            -- The migration of another database was faster.
            WHEN duplicate_object OR unique_violation THEN
                NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'role "%" may not create roles; as a role that may, run: %', current_user, v_statements
                    USING ERRCODE = 'insufficient_privilege';
        END;
    END LOOP;
END;
$$;

-- A schema that is open to everybody, as public is, needs no grant.
DO $$
BEGIN
    IF NOT has_schema_privilege('public', current_schema(), 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO authenticated, service_role', current_schema());
    END IF;
END;
$$;

-- Where default privileges give new tables to the roles of an API, as hosted servers do, everybody who signs in
-- could read the contacts and the channels' secrets.
REVOKE ALL ON TABLE
    accounts, users, teams, inboxes, contacts, conversations, messages, labels, contact_labels,
    channel_whatsapp, channel_api, contact_attributes_view
FROM authenticated;

REVOKE ALL ON SEQUENCE
    accounts_id_seq, users_id_seq, teams_id_seq, inboxes_id_seq, contacts_id_seq, conversations_id_seq,
    messages_id_seq, labels_id_seq, contact_labels_id_seq, channel_whatsapp_id_seq, channel_api_id_seq
FROM authenticated;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = 'anon') THEN
        REVOKE ALL ON TABLE
            accounts, users, teams, inboxes, contacts, conversations, messages, labels, contact_labels,
            channel_whatsapp, channel_api, contact_attributes_view
        FROM anon;

        REVOKE ALL ON SEQUENCE
            accounts_id_seq, users_id_seq, teams_id_seq, inboxes_id_seq, contacts_id_seq, conversations_id_seq,
            messages_id_seq, labels_id_seq, contact_labels_id_seq, channel_whatsapp_id_seq, channel_api_id_seq
        FROM anon;
    END IF;
END;
$$;

-- check: updated_at follows every change of a row, and only a change.

DO $$
DECLARE
    v_before CONSTANT TIMESTAMPTZ := '2001-01-01 00:00:00+00';
    v_after TIMESTAMPTZ;
    v_row RECORD;
    v_account INT;
    v_user INT;
    v_team INT;
    v_inbox INT;
    v_contact INT;
    v_label INT;
    v_contact_label INT;
    v_api INT;
    v_whatsapp INT;
    v_conversation INT;
    v_message INT;
BEGIN
    INSERT INTO accounts (name, updated_at) VALUES ('check', v_before) RETURNING id INTO v_account;
    INSERT INTO users (name, email, updated_at) VALUES ('check', gen_random_uuid() || '@check.invalid', v_before) RETURNING id INTO v_user;
    INSERT INTO teams (account_id, name, updated_at) VALUES (v_account, 'check', v_before) RETURNING id INTO v_team;
    INSERT INTO inboxes (account_id, name, channel_type, updated_at)
    VALUES (v_account, 'check', 'Channel::Api', v_before)
    RETURNING id INTO v_inbox;
    INSERT INTO contacts (account_id, name, updated_at) VALUES (v_account, 'check', v_before) RETURNING id INTO v_contact;
    INSERT INTO labels (account_id, title, updated_at) VALUES (v_account, 'check', v_before) RETURNING id INTO v_label;
    INSERT INTO contact_labels (contact_id, label_id, updated_at) VALUES (v_contact, v_label, v_before) RETURNING id INTO v_contact_label;
    INSERT INTO channel_api (account_id, updated_at) VALUES (v_account, v_before) RETURNING id INTO v_api;
    INSERT INTO channel_whatsapp (account_id, phone_number, provider, updated_at)
    VALUES (v_account, '+31600000000', '360dialog', v_before)
    RETURNING id INTO v_whatsapp;
    INSERT INTO conversations (account_id, inbox_id, updated_at) VALUES (v_account, v_inbox, v_before) RETURNING id INTO v_conversation;
    INSERT INTO messages (account_id, conversation_id, message_type, updated_at)
    VALUES (v_account, v_conversation, 'incoming', v_before)
    RETURNING id INTO v_message;

    FOR v_row IN
        SELECT t.name, t.id, t.change
        FROM (VALUES
            ('accounts', v_account, 'name = ''changed'''),
            ('users', v_user, 'name = ''changed'''),
            ('teams', v_team, 'name = ''changed'''),
            ('inboxes', v_inbox, 'name = ''changed'''),
            ('contacts', v_contact, 'custom_attributes = ''{"lead_status": "new"}'''),
            ('labels', v_label, 'title = ''changed'''),
            ('contact_labels', v_contact_label, 'created_at = ''2001-01-01 00:00:00+00'''),
            ('channel_api', v_api, 'hmac_mandatory = TRUE'),
            ('channel_whatsapp', v_whatsapp, 'provider = ''whatsapp_cloud'''),
            ('conversations', v_conversation, 'status = ''resolved'''),
            ('messages', v_message, 'status = ''read''')
        ) AS t (name, id, change)
    LOOP
        EXECUTE format('UPDATE %I SET id = id WHERE id = $1 RETURNING updated_at', v_row.name) INTO STRICT v_after USING v_row.id;
        IF v_after <> v_before THEN
            RAISE EXCEPTION 'check failed: an update of % that changes nothing sets updated_at', v_row.name;
        END IF;

        EXECUTE format('UPDATE %I SET %s WHERE id = $1 RETURNING updated_at', v_row.name, v_row.change) INTO STRICT v_after USING v_row.id;
        IF v_after < now() THEN
            RAISE EXCEPTION 'check failed: an update of % leaves updated_at at %', v_row.name, v_after;
        END IF;
    END LOOP;
END;
$$;

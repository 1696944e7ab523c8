-- check: every reference has a foreign key, every foreign key an index, and deleting a row takes along, or lets go of, what the document says.

DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(format('%s.%s -> %s', want.child, want.col, want.parent), ', ') INTO v_found
    FROM (VALUES
        ('teams', 'account_id', 'accounts', 'c'),
        ('inboxes', 'account_id', 'accounts', 'c'),
        ('contacts', 'account_id', 'accounts', 'c'),
        ('conversations', 'contact_id', 'contacts', 'n'),
        ('conversations', 'inbox_id', 'inboxes', 'c'),
        ('conversations', 'account_id', 'accounts', 'c'),
        ('conversations', 'assignee_id', 'users', 'n'),
        ('conversations', 'team_id', 'teams', 'n'),
        ('messages', 'conversation_id', 'conversations', 'c'),
        ('messages', 'account_id', 'accounts', 'c'),
        ('labels', 'account_id', 'accounts', 'c'),
        ('contact_labels', 'contact_id', 'contacts', 'c'),
        ('contact_labels', 'label_id', 'labels', 'c'),
        ('channel_whatsapp', 'account_id', 'accounts', 'c'),
        ('channel_api', 'account_id', 'accounts', 'c')
    ) AS want (child, col, parent, on_delete)
    WHERE NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_constraint AS f
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
        WHERE f.contype = 'f'
          AND f.conrelid = want.child::REGCLASS
          AND f.confrelid = want.parent::REGCLASS
          AND a.attname = want.col
          AND f.confdeltype::TEXT = want.on_delete
          AND f.convalidated
    );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: missing or different foreign key: %', v_found;
    END IF;

    SELECT string_agg(format('%s (%I)', f.conrelid::REGCLASS, a.attname), ', ') INTO v_found
    FROM pg_catalog.pg_constraint AS f
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
    WHERE f.contype = 'f'
      AND f.connamespace = (SELECT t.relnamespace FROM pg_catalog.pg_class AS t WHERE t.oid = 'contacts'::REGCLASS)
      AND NOT EXISTS (
          SELECT
          FROM pg_catalog.pg_index AS i
          WHERE i.indrelid = f.conrelid
            AND i.indkey[0] = f.conkey[1]
            AND i.indpred IS NULL
      );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: foreign key without index: %', v_found;
    END IF;
END;
$$;

DO $$
DECLARE
    v_account INT;
    v_user INT;
    v_team INT;
    v_inbox INT;
    v_contact INT;
    v_label INT;
    v_conversation INT;
    v_row RECORD;
BEGIN
    INSERT INTO accounts (name) VALUES ('check') RETURNING id INTO v_account;
    INSERT INTO users (name, email) VALUES ('check', gen_random_uuid() || '@check.invalid') RETURNING id INTO v_user;
    INSERT INTO teams (account_id, name) VALUES (v_account, 'check') RETURNING id INTO v_team;
    INSERT INTO inboxes (account_id, name, channel_type) VALUES (v_account, 'check', 'Channel::Api') RETURNING id INTO v_inbox;
    INSERT INTO contacts (account_id, name) VALUES (v_account, 'check') RETURNING id INTO v_contact;
    INSERT INTO labels (account_id, title) VALUES (v_account, 'check') RETURNING id INTO v_label;
    INSERT INTO contact_labels (contact_id, label_id) VALUES (v_contact, v_label);
    INSERT INTO channel_api (account_id) VALUES (v_account);
    INSERT INTO channel_whatsapp (account_id, phone_number, provider) VALUES (v_account, '+31600000000', '360dialog');
    INSERT INTO conversations (account_id, inbox_id, contact_id, assignee_id, team_id)
    VALUES (v_account, v_inbox, v_contact, v_user, v_team)
    RETURNING id INTO v_conversation;
    INSERT INTO messages (account_id, conversation_id, message_type) VALUES (v_account, v_conversation, 'incoming');

    -- People and teams come and go; the conversation stays.
    DELETE FROM users WHERE id = v_user;
    DELETE FROM teams WHERE id = v_team;
    DELETE FROM contacts WHERE id = v_contact;

    SELECT c.contact_id, c.assignee_id, c.team_id INTO v_row FROM conversations AS c WHERE c.id = v_conversation;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'check failed: the conversation went with its contact, its assignee or its team';
    END IF;
    IF v_row IS DISTINCT FROM ROW (NULL::INT, NULL::INT, NULL::INT) THEN
        RAISE EXCEPTION 'check failed: the conversation still names who is gone: %', v_row;
    END IF;
    IF EXISTS (SELECT FROM contact_labels AS l WHERE l.contact_id = v_contact) THEN
        RAISE EXCEPTION 'check failed: labels are left of a contact that is gone';
    END IF;

    -- A conversation takes its messages along, an account everything.
    DELETE FROM conversations WHERE id = v_conversation;
    IF EXISTS (SELECT FROM messages AS m WHERE m.conversation_id = v_conversation) THEN
        RAISE EXCEPTION 'check failed: messages are left of a conversation that is gone';
    END IF;

    INSERT INTO conversations (account_id, inbox_id) VALUES (v_account, v_inbox) RETURNING id INTO v_conversation;
    INSERT INTO messages (account_id, conversation_id, message_type) VALUES (v_account, v_conversation, 'incoming');
    DELETE FROM accounts WHERE id = v_account;
    IF EXISTS (SELECT FROM inboxes AS x WHERE x.account_id = v_account)
       OR EXISTS (SELECT FROM conversations AS x WHERE x.account_id = v_account)
       OR EXISTS (SELECT FROM messages AS x WHERE x.account_id = v_account)
       OR EXISTS (SELECT FROM labels AS x WHERE x.account_id = v_account)
       OR EXISTS (SELECT FROM channel_api AS x WHERE x.account_id = v_account)
       OR EXISTS (SELECT FROM channel_whatsapp AS x WHERE x.account_id = v_account) THEN
        RAISE EXCEPTION 'check failed: rows are left of an account that is gone';
    END IF;
END;
$$;

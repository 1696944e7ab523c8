-- check: updated_at moves with every change of a row, whatever the statement says, and not without a change.

INSERT INTO contact_mappings (chatwoot_contact_id, krayin_lead_id, updated_at)
VALUES (9000000000000001, 9000000000000101, '2020-01-01 00:00:00+00');

INSERT INTO conversation_mappings (chatwoot_conversation_id, krayin_lead_id, updated_at)
VALUES (9000000000000001, 9000000000000101, '2020-01-01 00:00:00+00');

INSERT INTO consent_records (contact_id, consent_type, status, ip_address, user_agent, consent_text, consent_version, updated_at)
VALUES (9000000000000001, 'marketing', 'denied', '::1', 'check', 'No.', '1.0', '2020-01-01 00:00:00+00');

DO $$
DECLARE
    v_table RECORD;
    v_first TIMESTAMPTZ;
    v_second TIMESTAMPTZ;
BEGIN
    FOR v_table IN
        SELECT t.name, t.key, t.change
        FROM (VALUES
            ('contact_mappings', 'chatwoot_contact_id', 'krayin_person_id = 9000000000000201'),
            ('conversation_mappings', 'chatwoot_conversation_id', 'status = ''pending'''),
            ('consent_records', 'contact_id', 'consent_version = ''1.1''')
        ) AS t (name, key, change)
    LOOP
        EXECUTE format('UPDATE %I SET %I = %I WHERE %I = 9000000000000001 RETURNING updated_at',
                       v_table.name, v_table.key, v_table.key, v_table.key) INTO v_first;
        IF v_first <> '2020-01-01 00:00:00+00' THEN
            RAISE EXCEPTION 'check failed: %: an update that changes nothing moved updated_at', v_table.name;
        END IF;

        EXECUTE format('UPDATE %I SET %s WHERE %I = 9000000000000001 RETURNING updated_at',
                       v_table.name, v_table.change, v_table.key) INTO v_first;
        IF v_first < now() OR v_first > clock_timestamp() THEN
            RAISE EXCEPTION 'check failed: %: a change left updated_at at %', v_table.name, v_first;
        END IF;

        -- The application cannot set it back, and a second change in the same transaction is later.
        EXECUTE format('UPDATE %I SET updated_at = ''2020-01-01 00:00:00+00'' WHERE %I = 9000000000000001 RETURNING updated_at',
                       v_table.name, v_table.key) INTO v_second;
        IF v_second <= v_first THEN
            RAISE EXCEPTION 'check failed: %: updated_at went from % to %', v_table.name, v_first, v_second;
        END IF;
    END LOOP;
END;
$$;

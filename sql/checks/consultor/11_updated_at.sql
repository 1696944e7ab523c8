-- check: updated_at moves with every change of a row, whatever the statement says, and not without a change.

-- Two consultants, A and B, with a lead, a flow and a conversation each.
INSERT INTO consultants (id, email, password_hash, name, whatsapp_number, vertical, slug)
VALUES
    ('c0000000-0000-4000-8000-00000000000a', 'a@check.invalid', 'hash of A', 'Check A', '+550000000000', 'insurance', 'check-slug-a'),
    ('c0000000-0000-4000-8000-00000000000b', 'b@check.invalid', 'hash of B', 'Check B', '+550000000000', 'insurance', 'check-slug-b');

INSERT INTO leads (id, consultant_id, whatsapp_number, name)
VALUES
    ('1ead0000-0000-4000-8000-00000000000a', 'c0000000-0000-4000-8000-00000000000a', '+550000000001', 'Lead of A'),
    ('1ead0000-0000-4000-8000-00000000000b', 'c0000000-0000-4000-8000-00000000000b', '+550000000001', 'Lead of B');

INSERT INTO flows (id, name, vertical, definition, created_by)
VALUES
    ('f1000000-0000-4000-8000-00000000000a', 'Flow of A', 'insurance', '{}', 'c0000000-0000-4000-8000-00000000000a'),
    ('f1000000-0000-4000-8000-00000000000b', 'Flow of B', 'insurance', '{}', 'c0000000-0000-4000-8000-00000000000b');

INSERT INTO conversations (id, lead_id, flow_id)
VALUES
    ('c0170000-0000-4000-8000-00000000000a', '1ead0000-0000-4000-8000-00000000000a', 'f1000000-0000-4000-8000-00000000000a'),
    ('c0170000-0000-4000-8000-00000000000b', '1ead0000-0000-4000-8000-00000000000b', 'f1000000-0000-4000-8000-00000000000b');
DO $$
DECLARE
    v_table RECORD;
    v_first TIMESTAMPTZ;
    v_second TIMESTAMPTZ;
BEGIN
    FOR v_table IN
        SELECT t.name, t.id, t.change
        FROM (VALUES
            ('consultants', 'c0000000-0000-4000-8000-00000000000a', 'bio = ''changed'''),
            ('leads', '1ead0000-0000-4000-8000-00000000000a', 'status = ''agendado'''),
            ('flows', 'f1000000-0000-4000-8000-00000000000a', 'description = ''changed'''),
            ('conversations', 'c0170000-0000-4000-8000-00000000000a', 'current_step = ''changed''')
        ) AS t (name, id, change)
    LOOP
        EXECUTE format('UPDATE %I SET id = id WHERE id = %L RETURNING updated_at', v_table.name, v_table.id) INTO v_first;
        IF v_first <> now() THEN
            RAISE EXCEPTION 'check failed: %: an update that changes nothing moved updated_at', v_table.name;
        END IF;

        EXECUTE format('UPDATE %I SET %s WHERE id = %L RETURNING updated_at', v_table.name, v_table.change, v_table.id) INTO v_first;
        IF v_first <= now() OR v_first > clock_timestamp() THEN
            RAISE EXCEPTION 'check failed: %: a change left updated_at at %', v_table.name, v_first;
        END IF;

        EXECUTE format('UPDATE %I SET updated_at = ''2020-01-01 00:00:00+00'' WHERE id = %L RETURNING updated_at', v_table.name, v_table.id)
        INTO v_second;
        IF v_second <= v_first THEN
            RAISE EXCEPTION 'check failed: %: updated_at went from % to %', v_table.name, v_first, v_second;
        END IF;
    END LOOP;
END;
$$;

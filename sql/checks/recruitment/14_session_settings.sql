-- check: functions and triggers work under any search_path, time zone and date style, and temporary tables cannot take the place of real ones.

DO $$
DECLARE
    v_schema NAME := (SELECT t.relnamespace::REGNAMESPACE FROM pg_catalog.pg_class AS t WHERE t.oid = 'contacts'::REGCLASS);
    v_account INT;
    v_added INT;
    v_updated_at TIMESTAMPTZ;
    v_score FLOAT;
BEGIN
    INSERT INTO accounts (name, updated_at) VALUES ('check', '2001-01-01 00:00:00+00') RETURNING id INTO v_account;

    CREATE TEMPORARY TABLE labels (account_id INT, title TEXT, description TEXT, color TEXT, show_on_sidebar BOOLEAN, UNIQUE (title, account_id));
    CREATE TEMPORARY TABLE contacts (id INT);
    PERFORM set_config('search_path', 'pg_temp, pg_catalog', TRUE);
    PERFORM set_config('TimeZone', 'Pacific/Auckland', TRUE);
    PERFORM set_config('DateStyle', 'SQL, DMY', TRUE);

    EXECUTE format('SELECT %I.add_standard_labels($1)', v_schema) INTO v_added USING v_account;
    IF v_added <> 14 OR EXISTS (SELECT FROM pg_temp.labels) THEN
        RAISE EXCEPTION 'check failed: add_standard_labels wrote to a temporary table';
    END IF;

    EXECUTE format('UPDATE %I.accounts SET name = ''changed'' WHERE id = $1 RETURNING updated_at', v_schema) INTO v_updated_at USING v_account;
    IF v_updated_at < now() THEN
        RAISE EXCEPTION 'check failed: updated_at is % under another time zone', v_updated_at;
    END IF;

    EXECUTE format('INSERT INTO %I.contacts (account_id, custom_attributes) VALUES ($1, ''{"qualification_score": "7.5"}'')', v_schema)
    USING v_account;
    EXECUTE format('SELECT v.qualification_score FROM %I.contact_attributes_view AS v WHERE v.account_id = $1', v_schema)
    INTO v_score USING v_account;
    IF v_score IS DISTINCT FROM 7.5 THEN
        RAISE EXCEPTION 'check failed: the view shows the score % under another search_path', v_score;
    END IF;
END;
$$;

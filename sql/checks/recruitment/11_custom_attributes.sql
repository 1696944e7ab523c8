-- check: a contact is stored whatever an agent wrote as its score; searches by status, source, score, budget and handle find the right contacts, use their index, and put those without a score last.

DO $$
DECLARE
    v_account INT;
    v_names TEXT;
    v_query RECORD;
    v_line TEXT;
    v_plan TEXT;
BEGIN
    INSERT INTO accounts (name) VALUES ('check') RETURNING id INTO v_account;

    BEGIN
        INSERT INTO contacts (account_id, name, custom_attributes)
        VALUES
            (v_account, 'good', '{"lead_status": "check qualified", "qualification_score": 8.5, "budget_min": 70000, "follower_count": 25000}'),
            (v_account, 'text', '{"lead_status": "check qualified", "qualification_score": "9.5", "budget_min": "80000", "follower_count": "15k"}'),
            (v_account, 'word', '{"lead_status": "check qualified", "qualification_score": "high", "budget_min": "a lot", "follower_count": {"n": 1}}'),
            (v_account, 'huge', '{"lead_status": "check qualified", "qualification_score": 1e400, "budget_min": -1e400, "follower_count": 99999999999}'),
            (v_account, 'none', '{"lead_status": "check qualified"}'),
            (v_account, 'list', '["no object"]'),
            (v_account, 'null', NULL),
            (v_account, 'poor', '{"lead_status": "check qualified", "qualification_score": 2, "budget_min": 20000, "follower_count": 10}');
    EXCEPTION WHEN data_exception THEN
        RAISE EXCEPTION 'check failed: a contact is refused for what an agent wrote: %', SQLERRM;
    END;

    SELECT string_agg(x.name, ' ' ORDER BY x.position) INTO v_names
    FROM (
        SELECT
            c.name,
            row_number() OVER (
                ORDER BY safe_numeric(c.custom_attributes->>'qualification_score') DESC NULLS LAST, c.name
            ) AS position
        FROM contacts AS c
        WHERE c.account_id = v_account
          AND c.custom_attributes->>'lead_status' = 'check qualified'
    ) AS x;
    IF v_names IS DISTINCT FROM 'text good poor huge none word' THEN
        RAISE EXCEPTION 'check failed: qualified contacts by score: %', v_names;
    END IF;

    SELECT string_agg(c.name, ' ' ORDER BY c.name) INTO v_names
    FROM contacts AS c
    WHERE c.account_id = v_account
      AND safe_numeric(c.custom_attributes->>'budget_min') >= 70000;
    IF v_names IS DISTINCT FROM 'good text' THEN
        RAISE EXCEPTION 'check failed: contacts with a budget of 70000 or more: %', v_names;
    END IF;

    SELECT string_agg(c.name, ' ' ORDER BY c.name) INTO v_names
    FROM contacts AS c
    WHERE c.account_id = v_account
      AND safe_integer(c.custom_attributes->>'follower_count') > 10000;
    IF v_names IS DISTINCT FROM 'good' THEN
        RAISE EXCEPTION 'check failed: contacts with more than 10000 followers: %', v_names;
    END IF;

    -- With few rows, reading them all is rightly cheaper: forbidden here, to see whether the index fits the query.
    SET LOCAL enable_seqscan = off;
    SET LOCAL enable_sort = off;

    FOR v_query IN
        SELECT q.index_name, q.sql
        FROM (VALUES
            ('idx_contacts_lead_status',
             'SELECT FROM contacts AS c WHERE c.custom_attributes->>''lead_status'' = ''qualified'''),
            ('idx_contacts_lead_source',
             'SELECT FROM contacts AS c WHERE c.custom_attributes->>''lead_source'' = ''instagram_scrape'''),
            ('idx_contacts_instagram_handle',
             'SELECT FROM contacts AS c WHERE c.custom_attributes->>''instagram_handle'' = ''@check'''),
            ('idx_contacts_custom_attributes',
             'SELECT FROM contacts AS c WHERE c.custom_attributes @> ''{"vip_status": true}'''),
            ('idx_contacts_budget_min',
             'SELECT FROM contacts AS c WHERE c.account_id = 1 AND safe_numeric(c.custom_attributes->>''budget_min'') >= 1e30'),
            ('idx_contacts_qualification_score',
             'SELECT FROM contacts AS c WHERE safe_numeric(c.custom_attributes->>''qualification_score'') > 8.0'),
            ('idx_contacts_qualification_score',
             'SELECT c.name FROM contacts AS c ORDER BY safe_numeric(c.custom_attributes->>''qualification_score'') DESC NULLS LAST LIMIT 10'),
            ('idx_contacts_qualification_score',
             'SELECT v.name FROM contact_attributes_view AS v WHERE v.qualification_score > 8.0')
        ) AS q (index_name, sql)
    LOOP
        v_plan := '';
        FOR v_line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || v_query.sql LOOP
            v_plan := v_plan || v_line || E'\n';
        END LOOP;
        IF v_plan NOT LIKE '%' || replace(v_query.index_name, '_', '\_') || '%' THEN
            RAISE EXCEPTION 'check failed: % is not used by: % %', v_query.index_name, v_query.sql, E'\n' || v_plan;
        END IF;
    END LOOP;
END;
$$;

-- check: contact_attributes_view shows the attributes of every contact of every account, NULL for numbers that are none, and gives no rights to contacts.

DO $$
DECLARE
    v_account INT;
    v_found TEXT;
BEGIN
    SELECT string_agg(format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum) INTO v_found
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = 'contact_attributes_view'::REGCLASS
      AND a.attnum > 0;
    IF v_found <> 'contact_id integer, name character varying(255), email character varying(255), phone_number character varying(50), '
        'lead_status text, lead_source text, urgency_level text, job_type text, budget_range text, qualification_score double precision, '
        'ai_summary text, instagram_handle text, follower_count integer, last_contact_date text, all_attributes jsonb, '
        'created_at timestamp with time zone, updated_at timestamp with time zone, account_id integer' THEN
        RAISE EXCEPTION 'check failed: the columns are %', v_found;
    END IF;

    INSERT INTO accounts (name) VALUES ('check') RETURNING id INTO v_account;
    INSERT INTO contacts (account_id, name, email, custom_attributes)
    VALUES
        (v_account, 'good', 'good@check.invalid', '{
            "lead_status": "qualified", "lead_source": "website_form", "urgency_level": "high", "job_type_preference": "interim",
            "budget_range": "€70-90k", "qualification_score": 8.5, "ai_summary": "seeks interim work", "instagram_handle": "@good",
            "follower_count": 15000, "last_contact_date": "2025-01-16T14:20:00Z"
        }'),
        (v_account, 'word', NULL, '{"qualification_score": "high", "follower_count": "15k"}'),
        (v_account, 'null', NULL, NULL);

    SELECT to_jsonb(v) - 'contact_id' - 'all_attributes' - 'created_at' - 'updated_at' - 'account_id' INTO STRICT v_found
    FROM contact_attributes_view AS v
    WHERE v.account_id = v_account
      AND v.name = 'good';
    IF v_found::JSONB <> '{
        "name": "good", "email": "good@check.invalid", "phone_number": null,
        "lead_status": "qualified", "lead_source": "website_form", "urgency_level": "high", "job_type": "interim",
        "budget_range": "€70-90k", "qualification_score": 8.5, "ai_summary": "seeks interim work", "instagram_handle": "@good",
        "follower_count": 15000, "last_contact_date": "2025-01-16T14:20:00Z"
    }' THEN
        RAISE EXCEPTION 'check failed: a contact is shown as %', v_found;
    END IF;

    IF 2 <> (
        SELECT count(*)
        FROM contact_attributes_view AS v
        WHERE v.account_id = v_account
          AND v.name IN ('word', 'null')
          AND v.qualification_score IS NULL
          AND v.follower_count IS NULL
    ) THEN
        RAISE EXCEPTION 'check failed: contacts without numbers are not shown, or with numbers';
    END IF;

    IF (SELECT count(*) FROM contact_attributes_view) <> (SELECT count(*) FROM contacts) THEN
        RAISE EXCEPTION 'check failed: not every contact is shown once';
    END IF;
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

-- The right to the view is not the right to contacts. Before server 15 it is, and the comment of the view says so.
GRANT SELECT ON contact_attributes_view TO authenticated;

DO $$
BEGIN
    IF current_setting('server_version_num')::INT >= 150000 THEN
        BEGIN
            PERFORM pg_temp.run_as('authenticated', 'SELECT FROM contact_attributes_view LIMIT 1');
        EXCEPTION WHEN insufficient_privilege THEN
            RETURN;
        END;
        RAISE EXCEPTION 'check failed: the view reads with the rights of its owner'
            USING HINT = 'ALTER VIEW contact_attributes_view SET (security_invoker = true)';
    ELSIF COALESCE(obj_description('contact_attributes_view'::REGCLASS, 'pg_class'), '') NOT LIKE '%rights of the owner%' THEN
        RAISE EXCEPTION 'check failed: nothing says that the view reads with the rights of its owner';
    END IF;
END;
$$;

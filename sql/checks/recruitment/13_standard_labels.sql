-- check: account 1 has the 14 standard labels; any account can be given those that it lacks; the next account gets an id of its own.

-- Runs p_sql and wants it to fail with p_sqlstate, because of p_constraint where one is named.
CREATE FUNCTION pg_temp.must_fail(p_what TEXT, p_sqlstate TEXT, p_sql TEXT, p_constraint TEXT DEFAULT NULL)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_constraint TEXT;
BEGIN
    BEGIN
        EXECUTE p_sql;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
        IF SQLSTATE <> p_sqlstate OR v_constraint <> p_constraint THEN
            RAISE EXCEPTION 'check failed: % gives % (%), not % %', p_what, SQLSTATE, SQLERRM, p_sqlstate, p_constraint;
        END IF;
        RETURN;
    END;
    RAISE EXCEPTION 'check failed: % is accepted', p_what;
END;
$$;

DO $$
DECLARE
    v_account INT;
    v_found TEXT;
    v_added INT;
BEGIN
    SELECT string_agg(want.title, ', ') INTO v_found
    FROM unnest(ARRAY[
        'qualified-lead', 'unqualified-lead', 'hot-lead', 'cold-lead', 'scraped-lead', 'cold-outreach', 'responded',
        'high-priority', 'vip-customer', 'interim-job-seeker', 'permanent-job-seeker', 'freelance-preference',
        'needs-human', 'ai-handled'
    ]) AS want (title)
    WHERE NOT EXISTS (SELECT FROM labels AS l WHERE l.account_id = 1 AND l.title = want.title);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: account 1 lacks %', v_found;
    END IF;

    BEGIN
        INSERT INTO accounts (name) VALUES ('check') RETURNING id INTO v_account;
    EXCEPTION WHEN unique_violation THEN
        RAISE EXCEPTION 'check failed: the next account is given an id that is taken: %', SQLERRM
            USING HINT = 'SELECT setval(''accounts_id_seq'', (SELECT max(id) FROM accounts))';
    END;

    INSERT INTO labels (account_id, title, color) VALUES (v_account, 'hot-lead', '#000000');
    v_added := add_standard_labels(v_account);
    IF v_added <> 13 THEN
        RAISE EXCEPTION 'check failed: an account that had one of 14 labels was given %', v_added;
    END IF;
    IF NOT EXISTS (
        SELECT FROM labels AS l WHERE l.account_id = v_account AND l.title = 'hot-lead' AND l.color = '#000000'
    ) THEN
        RAISE EXCEPTION 'check failed: a label that was there was changed';
    END IF;
    v_added := add_standard_labels(v_account);
    IF v_added <> 0 THEN
        RAISE EXCEPTION 'check failed: an account that had all labels was given %', v_added;
    END IF;

    SELECT string_agg(l.title, ' ' ORDER BY l.title) INTO v_found
    FROM labels AS l
    WHERE l.account_id = v_account
      AND NOT l.show_on_sidebar;
    IF v_found IS DISTINCT FROM 'ai-handled freelance-preference interim-job-seeker permanent-job-seeker' THEN
        RAISE EXCEPTION 'check failed: not on the sidebar: %', v_found;
    END IF;
END;
$$;

SELECT pg_temp.must_fail('labels for an account that does not exist', '23503', $sql$
    SELECT add_standard_labels(-1)
$sql$, 'labels_account_id_fkey');

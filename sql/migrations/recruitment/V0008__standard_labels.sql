-- recruitment V0008: the 14 labels that the agents sort contacts with, for account 1, which is made if it is missing.
-- Lock: ROW EXCLUSIVE on accounts and labels, as any insert.

-- Gives an account the standard labels it lacks and returns how many those were. Labels that it has, stay as they are.
CREATE FUNCTION add_standard_labels(p_account_id INT)
RETURNS INT
LANGUAGE plpgsql
AS $$
DECLARE
    v_added INT;
BEGIN
    INSERT INTO labels (account_id, title, description, color, show_on_sidebar)
    VALUES
        (p_account_id, 'qualified-lead', 'High-quality lead, passed qualification', '#10b981', TRUE),
        (p_account_id, 'unqualified-lead', 'Does not meet qualification criteria', '#ef4444', TRUE),
        (p_account_id, 'hot-lead', 'High urgency, immediate follow-up needed', '#f59e0b', TRUE),
        (p_account_id, 'cold-lead', 'Low engagement, nurture campaign', '#6b7280', TRUE),

        (p_account_id, 'scraped-lead', 'Lead from Instagram/LinkedIn scraping', '#8b5cf6', TRUE),
        (p_account_id, 'cold-outreach', 'Not yet contacted, pending outreach', '#ec4899', TRUE),
        (p_account_id, 'responded', 'Lead responded to outreach', '#14b8a6', TRUE),

        (p_account_id, 'high-priority', 'Urgent issue, needs immediate attention', '#dc2626', TRUE),
        (p_account_id, 'vip-customer', 'High-value customer, premium treatment', '#facc15', TRUE),

        (p_account_id, 'interim-job-seeker', 'Looking for interim/contract work', '#3b82f6', FALSE),
        (p_account_id, 'permanent-job-seeker', 'Looking for permanent employment', '#0ea5e9', FALSE),
        (p_account_id, 'freelance-preference', 'Prefers freelance/project work', '#06b6d4', FALSE),

        (p_account_id, 'needs-human', 'AI escalated to human agent', '#f97316', TRUE),
        (p_account_id, 'ai-handled', 'Successfully handled by AI', '#22c55e', FALSE)
    ON CONFLICT (title, account_id) DO NOTHING;
    GET DIAGNOSTICS v_added = ROW_COUNT;

    RETURN v_added;
END;
$$;

SELECT pin_search_path('add_standard_labels(INT)');

COMMENT ON FUNCTION add_standard_labels(INT) IS 'Gives an account the standard labels it lacks; returns how many those were';

INSERT INTO accounts (id, name)
VALUES (1, 'Default account')
ON CONFLICT (id) DO NOTHING;

-- The id was not taken from the sequence: without this, the next account would be given 1 as well.
SELECT setval('accounts_id_seq', 1, TRUE)
FROM accounts_id_seq AS s
WHERE NOT s.is_called
  AND s.last_value = 1;

SELECT add_standard_labels(1);

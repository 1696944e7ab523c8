-- recruitment D0008: undoes V0008: the standard labels of account 1 go, and account 1 with them if it is otherwise
--                    unused. What people have made their own stays: a label that a contact carries or that was
--                    changed, an account with anything in it or with another name. V0008 accepts all of it.
-- Lock: ROW EXCLUSIVE on accounts and labels, as any delete.

DELETE FROM labels AS l
USING (VALUES
    ('qualified-lead', 'High-quality lead, passed qualification', '#10b981', TRUE),
    ('unqualified-lead', 'Does not meet qualification criteria', '#ef4444', TRUE),
    ('hot-lead', 'High urgency, immediate follow-up needed', '#f59e0b', TRUE),
    ('cold-lead', 'Low engagement, nurture campaign', '#6b7280', TRUE),
    ('scraped-lead', 'Lead from Instagram/LinkedIn scraping', '#8b5cf6', TRUE),
    ('cold-outreach', 'Not yet contacted, pending outreach', '#ec4899', TRUE),
    ('responded', 'Lead responded to outreach', '#14b8a6', TRUE),
    ('high-priority', 'Urgent issue, needs immediate attention', '#dc2626', TRUE),
    ('vip-customer', 'High-value customer, premium treatment', '#facc15', TRUE),
    ('interim-job-seeker', 'Looking for interim/contract work', '#3b82f6', FALSE),
    ('permanent-job-seeker', 'Looking for permanent employment', '#0ea5e9', FALSE),
    ('freelance-preference', 'Prefers freelance/project work', '#06b6d4', FALSE),
    ('needs-human', 'AI escalated to human agent', '#f97316', TRUE),
    ('ai-handled', 'Successfully handled by AI', '#22c55e', FALSE)
) AS s (title, description, color, show_on_sidebar)
WHERE l.account_id = 1
  AND l.title = s.title
  AND l.description = s.description
  AND l.color = s.color
  AND l.show_on_sidebar = s.show_on_sidebar
  AND NOT EXISTS (SELECT FROM contact_labels AS c WHERE c.label_id = l.id);

DELETE FROM accounts AS a
WHERE a.id = 1
  AND a.name = 'Default account'
  AND NOT EXISTS (SELECT FROM teams AS x WHERE x.account_id = 1)
  AND NOT EXISTS (SELECT FROM inboxes AS x WHERE x.account_id = 1)
  AND NOT EXISTS (SELECT FROM contacts AS x WHERE x.account_id = 1)
  AND NOT EXISTS (SELECT FROM conversations AS x WHERE x.account_id = 1)
  AND NOT EXISTS (SELECT FROM messages AS x WHERE x.account_id = 1)
  AND NOT EXISTS (SELECT FROM labels AS x WHERE x.account_id = 1)
  AND NOT EXISTS (SELECT FROM channel_whatsapp AS x WHERE x.account_id = 1)
  AND NOT EXISTS (SELECT FROM channel_api AS x WHERE x.account_id = 1);

DROP FUNCTION add_standard_labels(INT);

-- recruitment V0007: contact_attributes_view, the usual custom attributes as columns.
-- Lock: none that anybody could wait for; the view is new.

-- A number that is none comes as NULL. account_id is not in the document: without it the accounts cannot be told apart.
CREATE VIEW contact_attributes_view AS
SELECT
    c.id AS contact_id,
    c.name,
    c.email,
    c.phone_number,

    c.custom_attributes->>'lead_status' AS lead_status,
    c.custom_attributes->>'lead_source' AS lead_source,
    c.custom_attributes->>'urgency_level' AS urgency_level,
    c.custom_attributes->>'job_type_preference' AS job_type,
    c.custom_attributes->>'budget_range' AS budget_range,
    safe_numeric(c.custom_attributes->>'qualification_score') AS qualification_score,

    c.custom_attributes->>'ai_summary' AS ai_summary,

    c.custom_attributes->>'instagram_handle' AS instagram_handle,
    safe_integer(c.custom_attributes->>'follower_count') AS follower_count,

    c.custom_attributes->>'last_contact_date' AS last_contact_date,

    c.custom_attributes AS all_attributes,

    c.created_at,
    c.updated_at,
    c.account_id
FROM contacts AS c;

-- Whoever reads the view needs the right to read contacts. Servers before 15 cannot do that: there the view reads
-- with its owner's rights, so a right to it is a right to all contacts, and nobody is given one.
DO $$
BEGIN
    IF current_setting('server_version_num')::INT >= 150000 THEN
        EXECUTE 'ALTER VIEW contact_attributes_view SET (security_invoker = true)';
        COMMENT ON VIEW contact_attributes_view IS
            'The usual custom attributes of contacts as columns; read with the rights of the caller';
    ELSE
        RAISE WARNING 'contact_attributes_view reads with its owner''s rights on this server'
            USING HINT = 'after an upgrade to 15 or later: ALTER VIEW contact_attributes_view SET (security_invoker = true)';
        COMMENT ON VIEW contact_attributes_view IS
            'The usual custom attributes of contacts as columns; read with the rights of the owner (server before 15): a right to it is a right to all contacts';
    END IF;
END;
$$;

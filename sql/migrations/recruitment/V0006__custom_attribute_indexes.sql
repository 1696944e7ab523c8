-- recruitment V0006: the indexes that queries on contacts.custom_attributes use, and the two functions that read a
--                    number out of what an agent wrote there.
-- Lock: SHARE on contacts, which stops writes while the indexes are built: a few seconds for a million contacts.
--
-- Queries must write the expression as the index has it, and sort by score with DESC NULLS LAST:
-- descending order puts the contacts that have no score first.

-- The number in p_text, or NULL where it holds anything else ("high", "15k", '', NaN, Infinity). A cast would fail
-- the query, and inside an index the insert. At most 64 characters and a two-digit exponent: always within FLOAT.
-- The body is parsed here and now, so no search_path of a caller can change what it means.
CREATE FUNCTION safe_numeric(p_text TEXT)
RETURNS FLOAT
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
RETURN CASE
    WHEN length(p_text) <= 64 AND p_text ~ '^ *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,2})? *$'
    THEN p_text::FLOAT
END;

-- The same, rounded, or NULL where it does not fit into INT.
CREATE FUNCTION safe_integer(p_text TEXT)
RETURNS INT
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
RETURN CASE
    WHEN safe_numeric(p_text) BETWEEN -2147483648 AND 2147483647 THEN safe_numeric(p_text)::INT
END;

COMMENT ON FUNCTION safe_numeric(TEXT) IS 'The number in the text, or NULL where it holds anything else; never fails';
COMMENT ON FUNCTION safe_integer(TEXT) IS 'The number in the text, rounded, or NULL where it holds anything else or does not fit; never fails';

CREATE INDEX idx_contacts_custom_attributes
    ON contacts USING gin (custom_attributes);

CREATE INDEX idx_contacts_lead_status
    ON contacts ((custom_attributes->>'lead_status'));

CREATE INDEX idx_contacts_lead_source
    ON contacts ((custom_attributes->>'lead_source'));

CREATE INDEX idx_contacts_qualification_score
    ON contacts (safe_numeric(custom_attributes->>'qualification_score') DESC NULLS LAST);

CREATE INDEX idx_contacts_instagram_handle
    ON contacts ((custom_attributes->>'instagram_handle'));

-- For the search by budget, which is always one account's.
CREATE INDEX idx_contacts_budget_min
    ON contacts (account_id, safe_numeric(custom_attributes->>'budget_min'));

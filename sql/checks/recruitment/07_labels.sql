-- check: a label exists once an account, and a contact carries it once.

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

CREATE TEMPORARY TABLE check_label AS
WITH a AS (
    INSERT INTO accounts (name) VALUES ('check 1'), ('check 2') RETURNING id
), l AS (
    INSERT INTO labels (account_id, title) SELECT a.id, 'seen' FROM a RETURNING id, account_id, color, show_on_sidebar
), c AS (
    INSERT INTO contacts (account_id, name) SELECT a.id, 'check' FROM a RETURNING id, account_id
)
SELECT l.id, l.account_id, l.color, l.show_on_sidebar, c.id AS contact_id
FROM l
JOIN c USING (account_id);

INSERT INTO contact_labels (contact_id, label_id)
SELECT l.contact_id, l.id FROM check_label AS l;

SELECT pg_temp.must_fail('the same title twice in an account', '23505', $sql$
    INSERT INTO labels (account_id, title) SELECT l.account_id, 'seen' FROM check_label AS l
$sql$, 'unique_label_per_account');

SELECT pg_temp.must_fail('the same label twice on a contact', '23505', $sql$
    INSERT INTO contact_labels (contact_id, label_id) SELECT l.contact_id, l.id FROM check_label AS l
$sql$, 'unique_contact_label');

SELECT pg_temp.must_fail('a label without a title', '23502', $sql$
    INSERT INTO labels (account_id) SELECT l.account_id FROM check_label AS l
$sql$);

SELECT pg_temp.must_fail('a label that does not exist', '23503', $sql$
    INSERT INTO contact_labels (contact_id, label_id) SELECT l.contact_id, -1 FROM check_label AS l
$sql$, 'contact_labels_label_id_fkey');

DO $$
BEGIN
    IF EXISTS (SELECT FROM check_label AS l WHERE l.color <> '#1f93ff' OR NOT l.show_on_sidebar) THEN
        RAISE EXCEPTION 'check failed: a label starts with another colour, or hidden';
    END IF;
END;
$$;

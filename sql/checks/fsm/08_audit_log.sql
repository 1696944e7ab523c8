-- check: changes of users, organizations and projects are in the audit log, with who, from where, what changed, and no hash of a password.

-- An id of this check: no other row has it.
CREATE FUNCTION pg_temp.u(p_n INTEGER)
RETURNS UUID
LANGUAGE sql
AS $$ SELECT ('f5c0ffee-0000-4000-8000-' || lpad(p_n::TEXT, 12, '0'))::UUID $$;

-- The newest entry about a row.
CREATE FUNCTION pg_temp.entry(p_table TEXT, p_id TEXT)
RETURNS audit.audit_log
LANGUAGE sql
AS $$
    SELECT l FROM audit.audit_log AS l WHERE l.table_name = p_table AND l.record_id = p_id ORDER BY l.id DESC LIMIT 1
$$;

CREATE FUNCTION pg_temp.entries(p_table TEXT, p_id TEXT)
RETURNS BIGINT
LANGUAGE sql
AS $$ SELECT count(*) FROM audit.audit_log AS l WHERE l.table_name = p_table AND l.record_id = p_id $$;

SET LOCAL app.current_user_id = 'f5c0ffee-0000-4000-8000-000000000042';
SET LOCAL app.client_ip = '192.0.2.7';

INSERT INTO auth.users (id, email, password_hash)
VALUES (pg_temp.u(1), 'check-1@fsm.invalid', 'hash of the old password');

DO $$
DECLARE
    v_entry audit.audit_log := pg_temp.entry('users', pg_temp.u(1)::TEXT);
BEGIN
    IF v_entry.table_schema IS DISTINCT FROM 'auth'
       OR v_entry.action IS DISTINCT FROM 'INSERT'
       OR v_entry.user_id IS DISTINCT FROM 'f5c0ffee-0000-4000-8000-000000000042'::UUID
       OR v_entry.ip_address IS DISTINCT FROM '192.0.2.7'::INET
       OR v_entry.old_values IS NOT NULL
       OR v_entry.new_values ->> 'email' IS DISTINCT FROM 'check-1@fsm.invalid'
       OR v_entry.changed_fields IS NOT NULL
       OR v_entry.created_at IS DISTINCT FROM now() THEN
        RAISE EXCEPTION 'check failed: the entry of a new user is %', v_entry;
    END IF;
END;
$$;

-- After SET LOCAL both settings are the empty string in every later transaction of the connection.
SET LOCAL app.current_user_id = '';
SET LOCAL app.client_ip = '';

UPDATE auth.users
SET password_hash = 'hash of the new password', first_name = 'Ana'
WHERE id = pg_temp.u(1);

DO $$
DECLARE
    v_entry audit.audit_log := pg_temp.entry('users', pg_temp.u(1)::TEXT);
BEGIN
    IF v_entry.action IS DISTINCT FROM 'UPDATE'
       OR v_entry.user_id IS NOT NULL
       OR v_entry.ip_address IS DISTINCT FROM inet_client_addr()
       OR v_entry.changed_fields IS DISTINCT FROM ARRAY['first_name', 'password_hash']
       OR v_entry.old_values -> 'first_name' IS DISTINCT FROM 'null'::JSONB
       OR v_entry.new_values ->> 'first_name' IS DISTINCT FROM 'Ana' THEN
        RAISE EXCEPTION 'check failed: the entry of a changed user is %', v_entry;
    END IF;
END;
$$;

DO $$
DECLARE
    v_entries BIGINT := pg_temp.entries('users', pg_temp.u(1)::TEXT);
BEGIN
    UPDATE auth.users SET first_name = first_name WHERE id = pg_temp.u(1);
    UPDATE auth.users SET updated_at = '2001-01-01 00:00:00+00' WHERE id = pg_temp.u(1);
    IF pg_temp.entries('users', pg_temp.u(1)::TEXT) <> v_entries THEN
        RAISE EXCEPTION 'check failed: a change that changes nothing is in the log';
    END IF;
END;
$$;

DELETE FROM auth.users
WHERE id = pg_temp.u(1);

DO $$
DECLARE
    v_entry audit.audit_log := pg_temp.entry('users', pg_temp.u(1)::TEXT);
BEGIN
    IF v_entry.action IS DISTINCT FROM 'DELETE'
       OR v_entry.new_values IS NOT NULL
       OR v_entry.old_values ->> 'first_name' IS DISTINCT FROM 'Ana'
       OR v_entry.changed_fields IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: the entry of a deleted user is %', v_entry;
    END IF;

    IF EXISTS (
        SELECT
        FROM audit.audit_log AS l
        WHERE l.record_id = pg_temp.u(1)::TEXT
          AND format('%s %s', l.old_values, l.new_values) ~ 'password_hash|hash of'
    ) THEN
        RAISE EXCEPTION 'check failed: the hash of a password is in the log';
    END IF;
END;
$$;

-- Somebody who has acted can be deleted all the same, and stays named.
INSERT INTO auth.users (id, email, password_hash)
VALUES (pg_temp.u(2), 'check-2@fsm.invalid', 'hash');
SET LOCAL app.current_user_id = 'f5c0ffee-0000-4000-8000-000000000002';
INSERT INTO app.organizations (id, name, slug)
VALUES (pg_temp.u(1), 'Check', 'check-f5c0ffee');
INSERT INTO app.projects (id, organization_id, name, slug)
VALUES (pg_temp.u(1), pg_temp.u(1), 'Check', 'check');
SET LOCAL app.current_user_id = '';
DELETE FROM auth.users
WHERE id = pg_temp.u(2);

DO $$
BEGIN
    IF (pg_temp.entry('organizations', pg_temp.u(1)::TEXT)).user_id IS DISTINCT FROM pg_temp.u(2)
       OR (pg_temp.entry('projects', pg_temp.u(1)::TEXT)).user_id IS DISTINCT FROM pg_temp.u(2)
       OR (pg_temp.entry('projects', pg_temp.u(1)::TEXT)).table_schema IS DISTINCT FROM 'app' THEN
        RAISE EXCEPTION 'check failed: the log does not say who made an organization and a project';
    END IF;

    -- Deleting the organization deletes the project, and both are in the log.
    DELETE FROM app.organizations WHERE id = pg_temp.u(1);
    IF (pg_temp.entry('organizations', pg_temp.u(1)::TEXT)).action IS DISTINCT FROM 'DELETE'
       OR (pg_temp.entry('projects', pg_temp.u(1)::TEXT)).action IS DISTINCT FROM 'DELETE' THEN
        RAISE EXCEPTION 'check failed: the log misses a deleted organization or its project';
    END IF;
END;
$$;

-- check: anybody makes an organization and becomes its owner; members see it, owner and admins change it, owners alone make owners.

-- An id of this check: no other row has it.
CREATE FUNCTION pg_temp.u(p_n INTEGER)
RETURNS UUID
LANGUAGE sql
AS $$ SELECT ('f5c0ffee-0000-4000-8000-' || lpad(p_n::TEXT, 12, '0'))::UUID $$;

-- 1 owner, 2 admin, 3 member, 4 viewer, 7 pending, 8 suspended in organization 101; 5 owner of organization 102;
-- 6 admin of the whole system, 10 one whose admin role has expired, both in no organization.
-- Projects of 101: 201 private, 202 organization, 203 public, 205 public and deleted; of 102: 204 private, 206 public.
INSERT INTO auth.users (id, email, password_hash, first_name, last_name)
SELECT pg_temp.u(g.n), format('check-%s@fsm.invalid', g.n), 'hash', 'Check', 'No. ' || g.n
FROM generate_series(1, 10) AS g (n);

INSERT INTO auth.roles (name)
VALUES ('admin')
ON CONFLICT DO NOTHING;

INSERT INTO auth.user_roles (id, user_id, role_id, expires_at)
SELECT pg_temp.u(v.user_id), pg_temp.u(v.user_id), r.id, v.expires_at
FROM auth.roles AS r
CROSS JOIN (VALUES (6, now() + INTERVAL '1 day'), (10, now() - INTERVAL '1 second')) AS v (user_id, expires_at)
WHERE r.name = 'admin';

INSERT INTO app.organizations (id, name, slug, created_by)
VALUES
    (pg_temp.u(101), 'Check A', 'check-a-f5c0ffee', pg_temp.u(1)),
    (pg_temp.u(102), 'Check B', 'check-b-f5c0ffee', pg_temp.u(5));

INSERT INTO app.organization_members (organization_id, user_id, role, status)
SELECT pg_temp.u(v.organization_id), pg_temp.u(v.user_id), v.role, v.status
FROM (VALUES
    (101, 1, 'owner', 'active'),
    (101, 2, 'admin', 'active'),
    (101, 3, 'member', 'active'),
    (101, 4, 'viewer', 'active'),
    (101, 7, 'admin', 'pending'),
    (101, 8, 'member', 'suspended'),
    (102, 5, 'owner', 'active')
) AS v (organization_id, user_id, role, status);

INSERT INTO app.projects (id, organization_id, name, slug, visibility, deleted_at)
SELECT pg_temp.u(v.id), pg_temp.u(v.organization_id), 'Check', 'check-' || v.id, v.visibility, v.deleted_at
FROM (VALUES
    (201, 101, 'private', NULL),
    (202, 101, 'organization', NULL),
    (203, 101, 'public', NULL),
    (204, 102, 'private', NULL),
    (205, 101, 'public', now()),
    (206, 102, 'public', NULL)
) AS v (id, organization_id, visibility, deleted_at);
-- An owner that is no member of fsm_app becomes one for the length of this transaction.
DO $$
DECLARE
    v_me NAME := current_user;
BEGIN
    SET LOCAL ROLE fsm_app;
    EXECUTE format('SET LOCAL ROLE %I', v_me);
EXCEPTION WHEN insufficient_privilege THEN
    BEGIN
        EXECUTE format('GRANT fsm_app TO %I', v_me);
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'check failed: role "%" cannot act as fsm_app to try its rights', v_me
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('as superuser: GRANT fsm_app TO %I', v_me);
    END;
END;
$$;

-- Runs p_sql as fsm_app for p_user, null is nobody; returns how many rows it read or changed.
CREATE FUNCTION pg_temp.rows_as(p_user UUID, p_sql TEXT)
RETURNS BIGINT
LANGUAGE plpgsql
AS $$
DECLARE
    v_me NAME := current_user;
    v_rows BIGINT;
BEGIN
    PERFORM set_config('app.current_user_id', COALESCE(p_user::TEXT, ''), TRUE);
    SET LOCAL ROLE fsm_app;
    EXECUTE p_sql;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    EXECUTE format('SET LOCAL ROLE %I', v_me);
    PERFORM set_config('app.current_user_id', '', TRUE);
    RETURN v_rows;
END;
$$;

-- Wants p_sql to read or change p_rows rows, then takes it back.
CREATE FUNCTION pg_temp.expect_as(p_what TEXT, p_user UUID, p_rows BIGINT, p_sql TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_rows BIGINT;
BEGIN
    BEGIN
        v_rows := pg_temp.rows_as(p_user, p_sql);
        RAISE EXCEPTION USING ERRCODE = 'UNDO0';
    EXCEPTION
        WHEN SQLSTATE 'UNDO0' THEN
            NULL;
        WHEN OTHERS THEN
            RAISE EXCEPTION 'check failed: % gives % (%), not % rows', p_what, SQLSTATE, SQLERRM, p_rows;
    END;
    IF v_rows <> p_rows THEN
        RAISE EXCEPTION 'check failed: % gives % rows, not %', p_what, v_rows, p_rows;
    END IF;
END;
$$;

-- Wants p_sql to be refused with p_sqlstate.
CREATE FUNCTION pg_temp.refuse_as(p_what TEXT, p_user UUID, p_sql TEXT, p_sqlstate TEXT DEFAULT '42501')
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_rows BIGINT;
BEGIN
    BEGIN
        v_rows := pg_temp.rows_as(p_user, p_sql);
    EXCEPTION WHEN OTHERS THEN
        IF SQLSTATE <> p_sqlstate THEN
            RAISE EXCEPTION 'check failed: % gives % (%), not %', p_what, SQLSTATE, SQLERRM, p_sqlstate;
        END IF;
        RETURN;
    END;
    RAISE EXCEPTION 'check failed: % is accepted and gives % rows', p_what, v_rows;
END;
$$;

SELECT pg_temp.expect_as(format('user %s looking for organizations', w.n), pg_temp.u(w.n), w.n_rows,
    format('SELECT FROM app.organizations AS o WHERE o.id IN (%L, %L)', pg_temp.u(101), pg_temp.u(102)))
FROM (VALUES (1, 1), (4, 1), (5, 1), (6, 2), (7, 0), (8, 0), (9, 0), (10, 0)) AS w (n, n_rows);
SELECT pg_temp.expect_as('nobody looking for organizations', NULL, 0, 'SELECT FROM app.organizations AS o');

-- From nothing to an owner, as an application does it, ids returned.
DO $$
BEGIN
    IF 1 <> pg_temp.rows_as(pg_temp.u(9), format(
           'INSERT INTO app.organizations (id, name, slug, created_by) VALUES (%L, ''Check C'', ''check-c-f5c0ffee'', %L) RETURNING id',
           pg_temp.u(103), pg_temp.u(9))) THEN
        RAISE EXCEPTION 'check failed: nobody can make an organization';
    END IF;
    PERFORM pg_temp.refuse_as('somebody else claiming an organization without members', pg_temp.u(5), format(
        'INSERT INTO app.organization_members (organization_id, user_id, role) VALUES (%L, %L, ''owner'')', pg_temp.u(103), pg_temp.u(5)));
    PERFORM pg_temp.refuse_as('its creator making somebody else the first owner', pg_temp.u(9), format(
        'INSERT INTO app.organization_members (organization_id, user_id, role) VALUES (%L, %L, ''owner'')', pg_temp.u(103), pg_temp.u(5)));
    IF 1 <> pg_temp.rows_as(pg_temp.u(9), format(
           'INSERT INTO app.organization_members (organization_id, user_id, role) VALUES (%L, %L, ''owner'') RETURNING id',
           pg_temp.u(103), pg_temp.u(9))) THEN
        RAISE EXCEPTION 'check failed: who makes an organization cannot become its owner';
    END IF;
    PERFORM pg_temp.expect_as('the new owner inviting somebody', pg_temp.u(9), 1, format(
        'INSERT INTO app.organization_members (organization_id, user_id, role, status) VALUES (%L, %L, ''member'', ''pending'') RETURNING id',
        pg_temp.u(103), pg_temp.u(5)));
END;
$$;

SELECT pg_temp.refuse_as('making an organization in another''s name', pg_temp.u(3), format(
    'INSERT INTO app.organizations (name, slug, created_by) VALUES (''x'', ''check-x-f5c0ffee'', %L)', pg_temp.u(4)));
SELECT pg_temp.refuse_as('making an organization in nobody''s name', pg_temp.u(3),
    'INSERT INTO app.organizations (name, slug) VALUES (''x'', ''check-x-f5c0ffee'')');
SELECT pg_temp.refuse_as('nobody making an organization', NULL,
    'INSERT INTO app.organizations (name, slug) VALUES (''x'', ''check-x-f5c0ffee'')');

-- Whoever made it and left does not see it any more, and does not get it back.
DELETE FROM app.organization_members WHERE user_id = pg_temp.u(1);
SELECT pg_temp.expect_as('its former owner looking for an organization', pg_temp.u(1), 0,
    format('SELECT FROM app.organizations AS o WHERE o.id = %L', pg_temp.u(101)));
SELECT pg_temp.refuse_as('its former owner claiming an organization', pg_temp.u(1), format(
    'INSERT INTO app.organization_members (organization_id, user_id, role) VALUES (%L, %L, ''owner'')', pg_temp.u(101), pg_temp.u(1)));
INSERT INTO app.organization_members (organization_id, user_id, role) VALUES (pg_temp.u(101), pg_temp.u(1), 'owner');

SELECT pg_temp.expect_as(format('user %s changing organization 101', w.n), pg_temp.u(w.n), w.changed,
           format('UPDATE app.organizations SET name = ''x'' WHERE id = %L', pg_temp.u(101))),
       pg_temp.expect_as(format('user %s deleting organization 101', w.n), pg_temp.u(w.n), w.deleted,
           format('DELETE FROM app.organizations WHERE id = %L', pg_temp.u(101)))
FROM (VALUES (1, 1, 1), (2, 1, 0), (3, 0, 0), (4, 0, 0), (5, 0, 0), (6, 1, 1), (7, 0, 0), (8, 0, 0), (9, 0, 0)) AS w (n, changed, deleted);

-- Members.
SELECT pg_temp.expect_as(format('user %s looking for members of 101', w.n), pg_temp.u(w.n), w.n_rows,
    format('SELECT FROM app.organization_members AS m WHERE m.organization_id = %L', pg_temp.u(101)))
FROM (VALUES (1, 6), (4, 6), (5, 0), (6, 6), (7, 1), (8, 1), (9, 0)) AS w (n, n_rows);

SELECT CASE WHEN w.n_rows IS NULL
    THEN pg_temp.refuse_as(w.what, pg_temp.u(w.n), f.sql)
    ELSE pg_temp.expect_as(w.what, pg_temp.u(w.n), w.n_rows, f.sql) END
FROM (VALUES
    ('the owner taking in an owner', 1, 'I', 9, 'owner', 1),
    ('the owner taking in an admin', 1, 'I', 9, 'admin', 1),
    ('an admin taking in a member', 2, 'I', 9, 'member', 1),
    ('an admin taking in an owner', 2, 'I', 9, 'owner', NULL),
    ('a member taking in a viewer', 3, 'I', 9, 'viewer', NULL),
    ('a viewer taking in a viewer', 4, 'I', 9, 'viewer', NULL),
    ('a stranger joining', 9, 'I', 9, 'viewer', NULL),
    ('a stranger joining as owner', 9, 'I', 9, 'owner', NULL),
    ('the system''s admin taking in an owner', 6, 'I', 9, 'owner', 1),
    ('the owner making an owner', 1, 'U', 3, 'owner', 1),
    ('an admin making an admin', 2, 'U', 3, 'admin', 1),
    ('an admin making an owner of themselves', 2, 'U', 2, 'owner', NULL),
    ('an admin demoting the owner', 2, 'U', 1, 'viewer', 0),
    ('a member promoting themselves', 3, 'U', 3, 'owner', 0),
    ('a pending admin promoting themselves', 7, 'U', 7, 'owner', 0),
    ('a suspended member promoting themselves', 8, 'U', 8, 'admin', 0),
    ('the owner removing an admin', 1, 'D', 2, NULL, 1),
    ('an admin removing a member', 2, 'D', 3, NULL, 1),
    ('an admin removing the owner', 2, 'D', 1, NULL, 0),
    ('a member removing a viewer', 3, 'D', 4, NULL, 0),
    ('a member leaving', 3, 'D', 3, NULL, 1),
    ('a pending member declining', 7, 'D', 7, NULL, 1),
    ('a stranger removing somebody', 5, 'D', 3, NULL, 0)
) AS w (what, n, command, target, role, n_rows)
CROSS JOIN LATERAL (
    SELECT CASE w.command
        WHEN 'I' THEN format('INSERT INTO app.organization_members (organization_id, user_id, role) VALUES (%L, %L, %L)', pg_temp.u(101), pg_temp.u(w.target), w.role)
        WHEN 'U' THEN format('UPDATE app.organization_members SET role = %L WHERE organization_id = %L AND user_id = %L', w.role, pg_temp.u(101), pg_temp.u(w.target))
        ELSE format('DELETE FROM app.organization_members WHERE organization_id = %L AND user_id = %L', pg_temp.u(101), pg_temp.u(w.target))
    END
) AS f (sql);

SELECT pg_temp.refuse_as('the owner of one organization moving a member to another one', pg_temp.u(1), format(
    'UPDATE app.organization_members SET organization_id = %L WHERE organization_id = %L AND user_id = %L', pg_temp.u(102), pg_temp.u(101), pg_temp.u(3)));

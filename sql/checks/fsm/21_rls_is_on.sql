-- check: row level security is on for ten tables and their partitions, for all roles but the owner, with the policies that each operation needs.

DO $$
DECLARE
    v_found TEXT;
BEGIN
    -- s select, i insert, u update, d delete; each policy permissive, for every role.
    SELECT string_agg(format('%s has "%s", not "%s"', w.name, p.commands, w.commands), '; ' ORDER BY w.name) INTO v_found
    FROM (VALUES
        ('auth.users', 's u'),
        ('auth.user_roles', 'd i s u'),
        ('auth.sessions', 'd i s u'),
        ('app.organizations', 'd i s u'),
        ('app.organization_members', 'd i s u'),
        ('app.projects', 'd i s u'),
        ('app.tasks', 'd i s u'),
        ('app.comments', 'd i s u'),
        ('app.attachments', 'd i s u'),
        ('app.notifications', 's u')
    ) AS w (name, commands)
    CROSS JOIN LATERAL (
        SELECT COALESCE(string_agg(
            CASE p.polcmd WHEN 'r' THEN 's' WHEN 'a' THEN 'i' WHEN 'w' THEN 'u' ELSE p.polcmd::TEXT END, ' ' ORDER BY
            CASE p.polcmd WHEN 'r' THEN 's' WHEN 'a' THEN 'i' WHEN 'w' THEN 'u' ELSE p.polcmd::TEXT END), '')
        FROM pg_catalog.pg_policy AS p
        WHERE p.polrelid = w.name::REGCLASS
          AND p.polpermissive
          AND p.polroles = '{0}'
    ) AS p (commands)
    WHERE p.commands <> w.commands;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: policies: %', v_found;
    END IF;

    SELECT string_agg(c.oid::REGCLASS::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_class AS c
    WHERE (c.oid IN (
              'auth.users'::REGCLASS, 'auth.user_roles'::REGCLASS, 'auth.sessions'::REGCLASS,
              'app.organizations'::REGCLASS, 'app.organization_members'::REGCLASS, 'app.projects'::REGCLASS,
              'app.tasks'::REGCLASS, 'app.comments'::REGCLASS, 'app.attachments'::REGCLASS, 'app.notifications'::REGCLASS)
           OR c.oid IN (SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i
                        WHERE i.inhparent IN ('app.tasks'::REGCLASS, 'app.notifications'::REGCLASS)))
      AND (NOT c.relrowsecurity OR c.relforcerowsecurity);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: row level security is off, or FORCEd on the owner, whose helpers would recurse: %', v_found;
    END IF;

    -- Every policy that lets rows be written says which.
    SELECT string_agg(p.polname, ', ') INTO v_found
    FROM pg_catalog.pg_policy AS p
    WHERE p.polrelid IN (SELECT c.oid FROM pg_catalog.pg_class AS c WHERE c.relnamespace IN ('auth'::REGNAMESPACE, 'app'::REGNAMESPACE))
      AND p.polcmd IN ('a', 'w')
      AND p.polwithcheck IS NULL;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: policies without WITH CHECK: %', v_found;
    END IF;
END;
$$;

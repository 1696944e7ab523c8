-- consultor D0001: undoes V0001. The roles anon, authenticated and service_role stay: they belong to the cluster, and other
--                  databases may use them. auth.uid() and the schema auth go only if V0001 made them, the schema only if
--                  nothing else lives in it; a policy of somebody else that uses auth.uid() stops the rollback (2BP01).
-- Lock: none on any table; functions only.

DROP FUNCTION update_updated_at_column();
DROP FUNCTION pin_search_path(REGPROCEDURE);

DO $$
BEGIN
    IF obj_description(to_regprocedure('auth.uid()'), 'pg_proc') = 'The JWT subject of the caller (made by consultor V0001)' THEN
        DROP FUNCTION auth.uid();
    END IF;

    IF obj_description(to_regnamespace('auth'), 'pg_namespace') = 'Identity of the caller (made by consultor V0001)' THEN
        IF EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.refclassid = 'pg_catalog.pg_namespace'::REGCLASS
              AND d.refobjid = to_regnamespace('auth')
        ) THEN
            RAISE NOTICE 'schema auth stays: it holds objects that are not of consultor';
        ELSE
            DROP SCHEMA auth;
        END IF;
    END IF;
END;
$$;

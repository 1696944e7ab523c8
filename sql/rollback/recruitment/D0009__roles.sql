-- recruitment D0009: undoes V0009: what it granted in this database is revoked. The roles authenticated and
--                    service_role stay, other databases of the cluster may use them; if none does:
--                    DROP ROLE authenticated; DROP ROLE service_role;
--                    What V0009 took from roles that had it by default privileges is not given back.
-- Lock: none on any table; changes rights in the catalog only.

DO $$
BEGIN
    IF NOT has_schema_privilege('public', current_schema(), 'USAGE') THEN
        EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM authenticated, service_role', current_schema());
    END IF;
END;
$$;

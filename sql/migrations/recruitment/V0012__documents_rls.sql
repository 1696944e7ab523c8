-- dbctl: part vector
-- recruitment V0012: row level security of documents: authenticated reads them, service_role does everything.
-- Lock: ACCESS EXCLUSIVE on documents, catalog only.

ALTER TABLE documents ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Allow read access to authenticated users"
    ON documents FOR SELECT
    TO authenticated
    USING (TRUE);

CREATE POLICY "Allow insert/update for service role"
    ON documents FOR ALL
    TO service_role
    USING (TRUE)
    WITH CHECK (TRUE);

-- A policy only narrows what was granted. What default privileges may have given is taken back first: no policy
-- stands in the way of TRUNCATE.
REVOKE ALL ON TABLE documents FROM authenticated, service_role;
REVOKE ALL ON SEQUENCE documents_id_seq FROM authenticated, service_role;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = 'anon') THEN
        REVOKE ALL ON TABLE documents FROM anon;
        REVOKE ALL ON SEQUENCE documents_id_seq FROM anon;
    END IF;
END;
$$;

GRANT SELECT ON TABLE documents TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE documents TO service_role;
GRANT USAGE, SELECT ON SEQUENCE documents_id_seq TO service_role;

-- An extension in a schema of its own: that is for its owner to open, and a search by a role that may not enter it
-- would fail with "function vector_norm does not exist".
DO $$
DECLARE
    v_schema NAME;
    v_roles TEXT;
BEGIN
    SELECT n.nspname, string_agg(r.name, ', ' ORDER BY r.name) INTO v_schema, v_roles
    FROM pg_catalog.pg_extension AS e
    JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
    CROSS JOIN unnest(ARRAY['authenticated', 'service_role']) AS r (name)
    WHERE e.extname = 'vector'
      AND NOT has_schema_privilege(r.name, n.oid, 'USAGE')
    GROUP BY n.nspname;
    IF FOUND THEN
        RAISE EXCEPTION 'schema "%", where pgvector is installed, is closed to %', v_schema, v_roles
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('as its owner: GRANT USAGE ON SCHEMA %I TO %s;', v_schema, v_roles);
    END IF;
END;
$$;

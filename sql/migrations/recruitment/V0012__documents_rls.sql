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

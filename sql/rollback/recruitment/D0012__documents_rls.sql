-- dbctl: part vector
-- recruitment D0012: undoes V0012, the policies and the grants. From then on only the owner reads documents.
-- Lock: ACCESS EXCLUSIVE on documents, held for catalog changes only.

REVOKE SELECT, INSERT, UPDATE, DELETE ON TABLE documents FROM authenticated, service_role;
REVOKE USAGE, SELECT ON SEQUENCE documents_id_seq FROM service_role;

DROP POLICY "Allow insert/update for service role" ON documents;
DROP POLICY "Allow read access to authenticated users" ON documents;

ALTER TABLE documents DISABLE ROW LEVEL SECURITY;

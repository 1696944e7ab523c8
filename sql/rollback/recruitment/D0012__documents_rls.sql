-- dbctl: part vector
-- recruitment D0012: undoes V0012, the policies and the grants. From then on only the owner reads documents.
-- Lock: ACCESS EXCLUSIVE on documents, catalog only. It is taken first: a REVOKE before it could deadlock with an
--       autovacuum of the table, which waits for whoever changes the rights while it keeps its own lock.

ALTER TABLE documents DISABLE ROW LEVEL SECURITY;

DROP POLICY "Allow insert/update for service role" ON documents;
DROP POLICY "Allow read access to authenticated users" ON documents;

REVOKE SELECT, INSERT, UPDATE, DELETE ON TABLE documents FROM authenticated, service_role;
REVOKE USAGE, SELECT ON SEQUENCE documents_id_seq FROM service_role;

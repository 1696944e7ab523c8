-- dbctl: part vector
-- recruitment D0011: undoes V0011, the search and the filter functions. No row is lost.
-- Lock: none on any table; functions only.

-- Without its arguments: the schema of their types may not be on the search_path.
DROP FUNCTION match_documents;
DROP FUNCTION document_metadata_matches(JSONB, JSONB);
DROP FUNCTION document_filter_path(JSONB, TEXT);
DROP FUNCTION document_filter_values(JSONB);

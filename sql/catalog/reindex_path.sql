-- In which schemas is a name without one looked for, in order?
-- Server: 14.
-- Rights: none.
SELECT pg_catalog.current_schemas(false)::text[] AS schemas

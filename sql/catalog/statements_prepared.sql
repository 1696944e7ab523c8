-- How many values does the statement that is prepared to be explained take?
-- Server: 14.
-- Rights: none.
SELECT pg_catalog.cardinality(p.parameter_types)::int8 AS parameters
FROM pg_catalog.pg_prepared_statements AS p
WHERE p.name = 'dbctl_explained'

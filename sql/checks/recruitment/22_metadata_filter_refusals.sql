-- dbctl: part vector
-- check: a metadata filter that cannot be understood is refused (22023), also where there is nothing to search.

-- The type and its operators may live in a schema of their own.
SELECT set_config('search_path', format('%s, %I', current_setting('search_path'), n.nspname), TRUE)
FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = 'vector';

-- Runs p_sql and wants it to fail with p_sqlstate, because of p_constraint where one is named.
CREATE FUNCTION pg_temp.must_fail(p_what TEXT, p_sqlstate TEXT, p_sql TEXT, p_constraint TEXT DEFAULT NULL)
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_constraint TEXT;
BEGIN
    BEGIN
        EXECUTE p_sql;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
        IF SQLSTATE <> p_sqlstate OR v_constraint <> p_constraint THEN
            RAISE EXCEPTION 'check failed: % gives % (%), not % %', p_what, SQLSTATE, SQLERRM, p_sqlstate, p_constraint;
        END IF;
        RETURN;
    END;
    RAISE EXCEPTION 'check failed: % is accepted', p_what;
END;
$$;

SELECT pg_temp.must_fail('the filter ' || f.filter, '22023', format('SELECT document_metadata_matches(''{"a": 1}'', %L)', f.filter))
FROM (VALUES
    ('{"budget_min": {"$regex": "7.*"}}'),
    ('{"budget_min": {"$gte": 70000, "$lowest": 1}}'),
    ('{"budget_min": {"$gte": 70000, "or": 1}}'),
    ('{"$or": [{"a": 1}, {"a": 2}]}'),
    ('{"$gte": 70000}'),
    ('{"a": {"b": {"$near": 1}}}'),
    ('{"a": [{"$gte": 1}]}'),
    ('{"a": {"$gte": [1]}}'),
    ('{"a": {"$gt": {"b": 1}}}'),
    ('{"a": {"$lt": null}}'),
    ('{"a": {"$lte": true}}'),
    ('{"a": {"$eq": [1]}}'),
    ('{"a": {"$ne": {"b": 1}}}'),
    ('{"a": {"$in": 1}}'),
    ('{"a": {"$in": [[1]]}}'),
    ('{"a": {"$in": [{"$gte": 1}]}}'),
    ('[]'),
    ('[{"a": 1}]'),
    ('"a"'),
    ('null'),
    ('7')
) AS f (filter);

SELECT pg_temp.must_fail('a search by a filter that is none', '22023', $sql$
    SELECT match_documents(array_fill(1::REAL, ARRAY[1536])::VECTOR, filter_metadata := '{"budget_min": {"$above": 70000}}')
$sql$);

SELECT pg_temp.must_fail('a search of no documents by a filter that is none', '22023', $sql$
    SELECT match_documents(
        array_fill(1::REAL, ARRAY[1536])::VECTOR,
        filter_category := 'no such category',
        filter_metadata := '{"budget_min": {"$above": 70000}}'
    )
$sql$);

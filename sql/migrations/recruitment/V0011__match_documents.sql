-- dbctl: part vector
-- recruitment V0011: match_documents, the search by similarity, and the metadata filters that it understands.
-- Lock: none on any table; functions only.
--
-- A filter is a JSON object. {"job_type": "interim"} wants that value, {"skills": ["SQL"]} a list with that element;
-- {"budget_min": {"$gte": 70000}} compares. The operators are $eq, $ne, $gt, $gte, $lt, $lte and $in; several of them
-- for one key must all hold; a list in the document meets a comparison if one of its elements does. Numbers are
-- compared with numbers and text with text (by code point, so ISO dates in order); a missing key or a value of another
-- type meets nothing but $ne. Whatever cannot be understood is refused (22023), never passed over.

-- Until the transaction ends: the type and its operators may live in a schema of their own.
DO $$
BEGIN
    IF to_regtype('vector') IS NULL THEN
        PERFORM set_config('search_path', format('%s, %I', current_setting('search_path'), n.nspname), TRUE)
        FROM pg_catalog.pg_extension AS e
        JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
        WHERE e.extname = 'vector';
    END IF;
END;
$$;

-- The part of a filter that is plain values, as an object for the operator @>.
CREATE FUNCTION document_filter_values(p_filter JSONB)
RETURNS JSONB
LANGUAGE plpgsql
IMMUTABLE
STRICT
PARALLEL SAFE
AS $$
DECLARE
    v_key TEXT;
    v_value JSONB;
    v_inner JSONB;
    v_values JSONB := '{}';
BEGIN
    FOR v_key, v_value IN SELECT e.key, e.value FROM jsonb_each(p_filter) AS e LOOP
        IF jsonb_typeof(v_value) = 'object' AND v_value <> '{}' THEN
            CONTINUE WHEN EXISTS (SELECT FROM jsonb_object_keys(v_value) AS k (key) WHERE k.key LIKE '$%');
            v_inner := document_filter_values(v_value);
            CONTINUE WHEN v_inner = '{}';
            v_value := v_inner;
        END IF;

        v_values := v_values || jsonb_build_object(v_key, v_value);
    END LOOP;

    RETURN v_values;
END;
$$;

-- The part of a filter that is operators, as a path for the operator @@; NULL if there are none. p_path is the place
-- in the document that the filter speaks of. Raises 22023 on anything that is no filter.
CREATE FUNCTION document_filter_path(p_filter JSONB, p_path TEXT DEFAULT '$')
RETURNS JSONPATH
LANGUAGE plpgsql
IMMUTABLE
STRICT
PARALLEL SAFE
AS $$
DECLARE
    v_key TEXT;
    v_value JSONB;
    v_operator TEXT;
    v_operand JSONB;
    v_place TEXT;
    v_test TEXT;
    v_tests TEXT[] := '{}';
BEGIN
    IF jsonb_typeof(p_filter) <> 'object' THEN
        RAISE EXCEPTION 'metadata filter is not a JSON object: %', p_filter
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'write it as ''{"budget_min": {"$gte": 70000}}''::JSONB';
    END IF;

    FOR v_key, v_value IN SELECT e.key, e.value FROM jsonb_each(p_filter) AS e LOOP
        IF v_key LIKE '$%' THEN
            RAISE EXCEPTION 'metadata filter: "%" stands where a key of the metadata has to', v_key
                USING ERRCODE = 'invalid_parameter_value',
                      HINT = 'an operator stands below its key: {"budget_min": {"$gte": 70000}}';
        END IF;

        -- The escapes of a JSON string are also those of a string in a path.
        v_place := p_path || '.' || to_jsonb(v_key)::TEXT;

        IF jsonb_typeof(v_value) = 'array' THEN
            IF jsonb_path_exists(v_value, 'strict $.** ? (@.type() == "object").keyvalue() ? (@.key starts with "$")') THEN
                RAISE EXCEPTION 'metadata filter: operator inside the list at "%"', v_key
                    USING ERRCODE = 'invalid_parameter_value',
                          HINT = 'for one of several values: {"location": {"$in": ["Amsterdam", "Utrecht"]}}';
            END IF;
            CONTINUE;
        END IF;

        CONTINUE WHEN jsonb_typeof(v_value) <> 'object';

        IF NOT EXISTS (SELECT FROM jsonb_object_keys(v_value) AS k (key) WHERE k.key LIKE '$%') THEN
            v_tests := v_tests || document_filter_path(v_value, v_place)::TEXT;
            CONTINUE;
        END IF;

        FOR v_operator, v_operand IN SELECT e.key, e.value FROM jsonb_each(v_value) AS e LOOP
            IF v_operator NOT IN ('$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in') THEN
                RAISE EXCEPTION 'metadata filter: unknown operator "%" at "%"', v_operator, v_key
                    USING ERRCODE = 'invalid_parameter_value',
                          HINT = 'the operators are $eq, $ne, $gt, $gte, $lt, $lte and $in';
            END IF;

            IF v_operator = '$in' THEN
                IF jsonb_typeof(v_operand) <> 'array'
                   OR EXISTS (
                       SELECT FROM jsonb_array_elements(v_operand) AS o (value)
                       WHERE jsonb_typeof(o.value) IN ('object', 'array')
                   ) THEN
                    RAISE EXCEPTION 'metadata filter: % is no operand of "$in" at "%"', v_operand, v_key
                        USING ERRCODE = 'invalid_parameter_value',
                              HINT = '$in takes a list of plain values: {"$in": ["Amsterdam", "Utrecht"]}';
                END IF;

                SELECT COALESCE(string_agg(format('@ == %s', o.value), ' || '), '1 == 0') INTO v_test
                FROM jsonb_array_elements(v_operand) AS o (value);
            ELSE
                IF jsonb_typeof(v_operand) IN ('object', 'array')
                   OR v_operator NOT IN ('$eq', '$ne') AND jsonb_typeof(v_operand) NOT IN ('number', 'string') THEN
                    RAISE EXCEPTION 'metadata filter: % is no operand of "%" at "%"', v_operand, v_operator, v_key
                        USING ERRCODE = 'invalid_parameter_value',
                              HINT = '$eq and $ne take one plain value, the others a number or a text; a list is given without an operator';
                END IF;

                v_test := format(
                    '@ %s %s',
                    CASE v_operator
                        WHEN '$gt' THEN '>'
                        WHEN '$gte' THEN '>='
                        WHEN '$lt' THEN '<'
                        WHEN '$lte' THEN '<='
                        ELSE '=='
                    END,
                    v_operand
                );
            END IF;

            -- exists() makes a comparison that is impossible a comparison that fails.
            v_tests := v_tests || format(
                '%sexists(%s ? (%s))',
                CASE WHEN v_operator = '$ne' THEN '!' ELSE '' END,
                v_place,
                v_test
            );
        END LOOP;
    END LOOP;

    RETURN (SELECT string_agg(format('(%s)', t.test), ' && ') FROM unnest(v_tests) AS t (test) WHERE t.test IS NOT NULL)::JSONPATH;
END;
$$;

-- Does the metadata of a document meet the filter? NULL, which is not yes, where the document has no metadata.
-- Not bound to a schema but parsed here and now: only so the planner sees through it to the index on metadata.
CREATE FUNCTION document_metadata_matches(metadata JSONB, filter JSONB)
RETURNS BOOLEAN
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
RETURN filter IS NULL
    -- The path comes first: making it is what finds fault with the filter.
    OR (document_filter_path(filter) IS NULL OR metadata @@ document_filter_path(filter))
        AND metadata @> document_filter_values(filter);

-- The match_count active documents most similar to query_embedding, best first, of those that meet the filters; of
-- these, the ones more similar than match_threshold (1 is the same direction, 0 is unrelated).
--
-- Few candidates are compared one by one, which is exact. Many are searched by the index, whose answer is approximate;
-- should it come back with fewer rows than there are, the search is done again without it.
CREATE FUNCTION match_documents(
    query_embedding VECTOR(1536),
    match_threshold FLOAT DEFAULT 0.78,
    match_count INT DEFAULT 5,
    filter_category VARCHAR DEFAULT NULL,
    filter_metadata JSONB DEFAULT NULL
)
RETURNS TABLE (
    id INT,
    content TEXT,
    title VARCHAR,
    metadata JSONB,
    category VARCHAR,
    similarity FLOAT
)
LANGUAGE plpgsql
STABLE
-- With the values known, filters that are not given cost nothing and the rest can use their indexes.
SET plan_cache_mode = 'force_custom_plan'
-- The planner does not know that reading an embedding is dear, for it lies outside of its row: it would rather read and
-- sort 20,000 of them than search the index. A plan that has to sort still does, but at a price that would call for jit.
SET enable_sort = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    c_few CONSTANT INT := 500;
    v_threshold FLOAT := COALESCE(match_threshold, 0.78);
    v_count INT := COALESCE(match_count, 5);
    v_candidates INT;
    v_ids INT[];
BEGIN
    IF query_embedding IS NULL OR vector_norm(query_embedding) = 0 THEN
        RAISE EXCEPTION 'match_documents: the query embedding is %', CASE WHEN query_embedding IS NULL THEN 'null' ELSE 'all zeros' END
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'it has no direction that a document could be similar to: see whether the embedding was computed';
    END IF;

    IF v_count < 0 THEN
        RAISE EXCEPTION 'match_documents: cannot return % documents', v_count
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    -- Here, because a search of no documents would never come to look at the filter.
    PERFORM document_filter_path(filter_metadata);

    SELECT count(*) INTO v_candidates
    FROM (
        SELECT
        FROM documents AS d
        WHERE d.is_active
          AND d.embedding IS NOT NULL
          AND (filter_category IS NULL OR d.category = filter_category)
          AND document_metadata_matches(d.metadata, filter_metadata)
        LIMIT c_few
    ) AS candidate;

    IF v_candidates >= c_few THEN
        SELECT array_agg(nearest.id) INTO v_ids
        FROM (
            SELECT d.id
            FROM documents AS d
            WHERE d.is_active
              AND d.embedding IS NOT NULL
              AND (filter_category IS NULL OR d.category = filter_category)
              AND document_metadata_matches(d.metadata, filter_metadata)
            ORDER BY d.embedding <=> query_embedding
            LIMIT v_count
        ) AS nearest;
    END IF;

    IF v_ids IS NULL OR cardinality(v_ids) < v_count THEN
        SELECT array_agg(nearest.id) INTO v_ids
        FROM (
            SELECT d.id
            FROM documents AS d
            WHERE d.is_active
              AND d.embedding IS NOT NULL
              AND (filter_category IS NULL OR d.category = filter_category)
              AND document_metadata_matches(d.metadata, filter_metadata)
            -- The sum keeps the index out.
            ORDER BY (d.embedding <=> query_embedding) + 0
            LIMIT v_count
        ) AS nearest;
    END IF;

    RETURN QUERY
    SELECT d.id, d.content, d.title, d.metadata, d.category, 1 - s.distance
    FROM documents AS d
    CROSS JOIN LATERAL (SELECT d.embedding <=> query_embedding AS distance) AS s
    WHERE d.id = ANY (v_ids)
      -- An embedding that is all zeros is at no distance from anything, and NaN passes for the greatest number.
      AND s.distance <> 'NaN'
      AND 1 - s.distance > v_threshold
    ORDER BY s.distance, d.id;
END;
$$;

SELECT pin_search_path('document_filter_values(JSONB)');
SELECT pin_search_path('document_filter_path(JSONB, TEXT)');

SELECT pin_search_path('match_documents(VECTOR, FLOAT, INT, VARCHAR, JSONB)', n.nspname)
FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = 'vector';

-- Lets a search of the index go on until it has enough rows that meet the filter (pgvector 0.8.0 and later). Without it
-- a search looks at the 40 nearest documents only; those that then find too few are done again without the index.
DO $$
BEGIN
    -- Loads the library, and its settings with it.
    PERFORM vector_norm('[1]');

    IF current_setting('hnsw.iterative_scan', TRUE) IS NOT NULL THEN
        ALTER FUNCTION match_documents(VECTOR, FLOAT, INT, VARCHAR, JSONB) SET hnsw.iterative_scan = 'strict_order';
    ELSE
        RAISE WARNING 'this pgvector has no iterative index scan: match_documents compares all documents where a filter leaves few'
            USING HINT = 'after an update to 0.8.0 or later: ALTER FUNCTION match_documents SET hnsw.iterative_scan = ''strict_order''';
    END IF;
END;
$$;

COMMENT ON FUNCTION document_metadata_matches(JSONB, JSONB) IS
    'Does the metadata meet the filter? Plain values, and $eq $ne $gt $gte $lt $lte $in; anything else is refused';
COMMENT ON FUNCTION match_documents(VECTOR, FLOAT, INT, VARCHAR, JSONB) IS
    'The active documents most similar to the query embedding, best first, of those that meet the filters';

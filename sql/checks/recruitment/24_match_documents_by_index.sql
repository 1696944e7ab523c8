-- dbctl: part vector
-- check: match_documents searches by the index, and gives as many documents as asked for even if dozens that do not meet the filter are nearer.

-- The type and its operators may live in a schema of their own.
SELECT set_config('search_path', format('%s, %I', current_setting('search_path'), n.nspname), TRUE)
FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = 'vector';

-- A vector whose similarity to the direction of axis 1500 is p_similarity, the rest of it pointing along p_axis.
CREATE FUNCTION pg_temp.direction(p_axis INT, p_similarity FLOAT)
RETURNS VECTOR
LANGUAGE plpgsql
AS $$
DECLARE
    v_elements REAL[] := array_fill(0::REAL, ARRAY[1536]);
BEGIN
    v_elements[p_axis] := sqrt(1 - p_similarity ^ 2);
    v_elements[1500] := p_similarity;
    RETURN v_elements::VECTOR;
END;
$$;

-- 60 near ones that no filter below wants; 520 further away, ten of each embedding, too many to be compared one by
-- one; 20 that are few.
INSERT INTO documents (title, content, category, metadata, embedding)
SELECT 'near', 'check', 'faq', '{"check": "near"}', pg_temp.direction(g.n, 0.97 + g.n / 10000.0)
FROM generate_series(1, 60) AS g (n);

INSERT INTO documents (title, content, category, metadata, embedding)
SELECT 'far', 'check', 'general', '{"check": "far"}', pg_temp.direction(200 + g.n / 10, 0.80 + g.n / 10 / 1000.0)
FROM generate_series(1, 520) AS g (n);

INSERT INTO documents (title, content, category, metadata, embedding)
SELECT 'few', 'check', 'policy', '{"check": "few"}', pg_temp.direction(800 + g.n, 0.90 + g.n / 1000.0)
FROM generate_series(1, 20) AS g (n);

DO $$
DECLARE
    v_query VECTOR := pg_temp.direction(1000, 1);
    v_index REGCLASS := 'idx_documents_embedding';
    v_scans BIGINT;
    v_found INT;
    v_wanted INT;
    v_best FLOAT;
    v_worst FLOAT;
BEGIN
    v_scans := pg_stat_get_xact_numscans(v_index);
    SELECT count(*), count(*) FILTER (WHERE m.title = 'near'), max(m.similarity) INTO v_found, v_wanted, v_best
    FROM match_documents(v_query, match_count := 10) AS m;
    IF pg_stat_get_xact_numscans(v_index) <= v_scans THEN
        RAISE EXCEPTION 'check failed: a search without filters does not use %', v_index;
    END IF;
    -- The index gives an approximate answer, and not the same one each time it is built.
    IF v_found <> 10 OR v_wanted < 5 OR v_best < 0.97 THEN
        RAISE EXCEPTION 'check failed: of 10 nearest documents % came, % of them near, the best at %', v_found, v_wanted, v_best;
    END IF;

    -- More than the 40 that an index search looks at by itself.
    SELECT count(*) INTO v_found FROM match_documents(v_query, match_count := 55) AS m;
    IF v_found <> 55 THEN
        RAISE EXCEPTION 'check failed: of 55 nearest documents % came', v_found;
    END IF;

    v_scans := pg_stat_get_xact_numscans(v_index);
    SELECT count(*) INTO v_found
    FROM match_documents(v_query, 0.78, 5, NULL, '{"check": "far"}') AS m
    WHERE m.title = 'far';
    IF pg_stat_get_xact_numscans(v_index) <= v_scans THEN
        RAISE EXCEPTION 'check failed: a search with a filter that many meet does not use %', v_index;
    END IF;
    IF v_found <> 5 THEN
        RAISE EXCEPTION 'check failed: of 5 documents behind 80 nearer ones % came', v_found;
    END IF;

    SELECT count(*) INTO v_found FROM match_documents(v_query, 0.78, 5, 'general', '{"check": {"$in": ["far"]}}') AS m WHERE m.title = 'far';
    IF v_found <> 5 THEN
        RAISE EXCEPTION 'check failed: of 5 documents of one category % came', v_found;
    END IF;

    -- Few are compared one by one: exactly the best, in order.
    SELECT count(*), min(m.similarity) INTO v_found, v_worst
    FROM match_documents(v_query, 0.78, 5, 'policy', '{"check": "few"}') AS m;
    IF v_found <> 5 OR abs(v_worst - 0.916) > 0.0001 THEN
        RAISE EXCEPTION 'check failed: of the 5 best of 20 documents % came, the worst at %', v_found, v_worst;
    END IF;

    SELECT count(*) INTO v_found FROM match_documents(v_query, 0.78, 100, 'policy', '{"check": "few"}') AS m;
    IF v_found <> 20 THEN
        RAISE EXCEPTION 'check failed: of 20 documents, 100 asked for, % came', v_found;
    END IF;
END;
$$;

-- An index search that ends early is done again, which hides that it cannot go on: said here, where pgvector knows how.
DO $$
DECLARE
    v_config TEXT[];
BEGIN
    SELECT p.proconfig INTO STRICT v_config
    FROM pg_catalog.pg_proc AS p
    WHERE p.oid = to_regproc('match_documents');

    IF current_setting('hnsw.iterative_scan', TRUE) IS NOT NULL AND 'hnsw.iterative_scan=strict_order' <> ALL (v_config) THEN
        RAISE EXCEPTION 'check failed: match_documents ends its index search early'
            USING HINT = 'ALTER FUNCTION match_documents SET hnsw.iterative_scan = ''strict_order''';
    END IF;
    IF 'plan_cache_mode=force_custom_plan' <> ALL (v_config) THEN
        RAISE EXCEPTION 'check failed: match_documents plans without knowing its filters';
    END IF;
END;
$$;

-- A filter by plain values or by $eq can be answered by the index on metadata.
SET LOCAL enable_seqscan = off;
SET LOCAL enable_indexscan = off;

DO $$
DECLARE
    v_line TEXT;
    v_plan TEXT := '';
BEGIN
    FOR v_line IN EXPLAIN (COSTS OFF)
        SELECT d.id
        FROM documents AS d
        WHERE document_metadata_matches(d.metadata, '{"job_type": "interim", "location": {"$eq": "Amsterdam"}}')
    LOOP
        v_plan := v_plan || v_line || E'\n';
    END LOOP;
    IF v_plan NOT LIKE '%idx\_documents\_metadata%' THEN
        RAISE EXCEPTION 'check failed: idx_documents_metadata is not used by a filter: %', E'\n' || v_plan;
    END IF;
END;
$$;

-- dbctl: part vector
-- check: match_documents gives the most similar active documents, best first, above the threshold, of the category and the metadata asked for.

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

-- Where there are many documents, the index answers, and approximately: let it look as far as it can.
SET LOCAL hnsw.ef_search = 1000;

INSERT INTO documents (title, content, category, metadata, is_active, embedding)
VALUES
    ('d95', 'check', 'vacancy', '{"check": true, "job_type": "interim", "budget_min": 60000}', TRUE, pg_temp.direction(1, 0.95)),
    ('d99', 'check', 'vacancy', '{"check": true, "job_type": "interim", "budget_min": 70000}', TRUE, pg_temp.direction(2, 0.99)),
    ('d90', 'check', 'policy', '{"check": true, "job_type": "permanent", "budget_min": 90000}', TRUE, pg_temp.direction(3, 0.90)),
    ('d85', 'check', 'policy', '{"check": true}', TRUE, pg_temp.direction(4, 0.85)),
    ('d84', 'check', 'faq', NULL, TRUE, pg_temp.direction(5, 0.84)),
    ('d83', 'check', NULL, '{"check": true}', TRUE, pg_temp.direction(6, 0.83)),
    ('d77', 'check', 'vacancy', '{"check": true, "job_type": "interim"}', TRUE, pg_temp.direction(7, 0.77)),
    ('d00', 'check', 'vacancy', '{"check": true}', TRUE, pg_temp.direction(8, 0)),
    ('opposite', 'check', 'vacancy', '{"check": true}', TRUE, pg_temp.direction(9, -0.9)),
    ('inactive', 'check', 'vacancy', '{"check": true, "job_type": "interim"}', FALSE, pg_temp.direction(10, 0.999)),
    ('unknown', 'check', 'vacancy', '{"check": true, "job_type": "interim"}', NULL, pg_temp.direction(11, 0.999)),
    ('no embedding', 'check', 'vacancy', '{"check": true, "job_type": "interim"}', TRUE, NULL),
    ('zeros', 'check', 'vacancy', '{"check": true, "job_type": "interim"}', TRUE, array_fill(0::REAL, ARRAY[1536])::VECTOR);

-- The titles that a call returns, in the order in which they come.
CREATE FUNCTION pg_temp.titles(p_arguments TEXT)
RETURNS TEXT
LANGUAGE plpgsql
AS $$
DECLARE
    v_titles TEXT;
BEGIN
    EXECUTE format(
        'SELECT string_agg(m.title, '' '' ORDER BY m.position)
         FROM ROWS FROM (match_documents(%s)) WITH ORDINALITY AS m (id, content, title, metadata, category, similarity, position)',
        p_arguments
    ) INTO v_titles;
    RETURN v_titles;
END;
$$;

DO $$
DECLARE
    v_call RECORD;
    v_titles TEXT;
    v_row RECORD;
BEGIN
    FOR v_call IN
        SELECT c.arguments, c.want
        FROM (VALUES
            ('q', 'd99 d95 d90 d85 d84'),
            ('q, match_count := 20', 'd99 d95 d90 d85 d84 d83'),
            ('q, match_threshold := 0.92', 'd99 d95'),
            ('q, 0.5, 1', 'd99'),
            ('q, match_count := 0', NULL),
            ('q, match_threshold := 0.9999', NULL),
            -- An RPC that leaves an argument empty sends NULL.
            ('q, NULL, NULL, NULL, NULL', 'd99 d95 d90 d85 d84'),
            ('q, filter_category := ''policy''', 'd90 d85'),
            ('q, match_threshold := 0.75, filter_category := ''vacancy''', 'd99 d95 d77'),
            ('q, 0.75, 5, ''vacancy'', ''{"job_type": "interim"}''', 'd99 d95 d77'),
            ('q, filter_metadata := ''{"check": true, "budget_min": {"$gte": 70000}}''', 'd99 d90'),
            ('q, filter_category := ''vacancy'', filter_metadata := ''{"budget_min": {"$gte": 70000}}''', 'd99'),
            ('q, filter_metadata := ''{"check": true, "job_type": {"$in": ["permanent", "freelance"]}}''', 'd90'),
            ('q, filter_category := ''no such category''', NULL),
            ('q, match_threshold := -2, match_count := 50, filter_metadata := ''{"check": true}''',
             'd99 d95 d90 d85 d83 d77 d00 opposite')
        ) AS c (arguments, want)
    LOOP
        v_titles := pg_temp.titles(replace(v_call.arguments, 'q', 'pg_temp.direction(12, 1)'));
        IF v_titles IS DISTINCT FROM v_call.want THEN
            RAISE EXCEPTION 'check failed: match_documents(%) gives %, not %', v_call.arguments, v_titles, v_call.want;
        END IF;
    END LOOP;

    SELECT m.* INTO STRICT v_row FROM match_documents(pg_temp.direction(12, 1), match_count := 1) AS m;
    IF v_row.content <> 'check' OR v_row.category <> 'vacancy' OR v_row.metadata->>'budget_min' <> '70000'
       OR NOT EXISTS (SELECT FROM documents AS d WHERE d.id = v_row.id AND d.title = 'd99')
       OR abs(v_row.similarity - 0.99) > 0.0001 THEN
        RAISE EXCEPTION 'check failed: the best match comes as %', v_row;
    END IF;
END;
$$;

SELECT pg_temp.must_fail('a query embedding that is null', '22023', 'SELECT match_documents(NULL)');
SELECT pg_temp.must_fail('a query embedding that is all zeros', '22023', 'SELECT match_documents(array_fill(0::REAL, ARRAY[1536])::VECTOR)');
SELECT pg_temp.must_fail('a negative count', '22023', 'SELECT match_documents(pg_temp.direction(12, 1), match_count := -1)');
SELECT pg_temp.must_fail('a query embedding of three numbers', '22000', 'SELECT match_documents(''[1,2,3]'')');

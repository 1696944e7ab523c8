-- dbctl: part vector
-- check: the search works under any search_path and time zone, and a temporary table cannot take the place of documents.

-- The type and its operators may live in a schema of their own.
SELECT set_config('search_path', format('%s, %I', current_setting('search_path'), n.nspname), TRUE)
FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = 'vector';

DO $$
DECLARE
    v_schema NAME := (SELECT t.relnamespace::REGNAMESPACE FROM pg_catalog.pg_class AS t WHERE t.oid = 'documents'::REGCLASS);
    v_query VECTOR;
    v_elements REAL[] := array_fill(0::REAL, ARRAY[1536]);
    v_title TEXT;
    v_found TEXT;
BEGIN
    SELECT string_agg(p.oid::REGPROCEDURE::TEXT, ', ') INTO v_found
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_extension AS e ON e.extname = 'vector'
    WHERE p.pronamespace = v_schema::TEXT::REGNAMESPACE
      AND p.proname IN ('match_documents', 'document_filter_values', 'document_filter_path')
      AND NOT EXISTS (
          SELECT
          FROM unnest(p.proconfig) AS c (setting)
          WHERE c.setting IN (
              format('search_path=%I, pg_temp', v_schema),
              format('search_path=%I, %I, pg_temp', v_schema, e.extnamespace::REGNAMESPACE::TEXT)
          )
      );
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: search_path is not bound to the function''s schema: %', v_found;
    END IF;

    v_elements[1499] := 1;
    v_query := v_elements::VECTOR;
    INSERT INTO documents (title, content, metadata, embedding) VALUES ('check', 'check', '{"check": 7}', v_query);

    CREATE TEMPORARY TABLE documents (id INT);
    PERFORM set_config('search_path', 'pg_temp, pg_catalog', TRUE);
    PERFORM set_config('TimeZone', 'America/Sao_Paulo', TRUE);
    PERFORM set_config('DateStyle', 'SQL, DMY', TRUE);

    EXECUTE format('SELECT m.title FROM %I.match_documents($1, 0.99, 1, NULL, ''{"check": {"$gt": 6}}'') AS m', v_schema)
    INTO v_title USING v_query;
    IF v_title IS DISTINCT FROM 'check' THEN
        RAISE EXCEPTION 'check failed: under another search_path the search gives %', v_title;
    END IF;
END;
$$;

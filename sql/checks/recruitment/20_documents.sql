-- dbctl: part vector
-- check: documents has its columns, categories and indexes, takes only embeddings of 1536 numbers, and can do without one.

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

DO $$
DECLARE
    v_missing TEXT;
    v_document documents;
    v_after TIMESTAMPTZ;
BEGIN
    SELECT string_agg(want.name, ', ' ORDER BY want.name) INTO v_missing
    FROM (VALUES
        ('documents_pkey', 'btree (id)'),
        ('idx_documents_category', 'btree (category)'),
        ('idx_documents_is_active', 'btree (is_active)'),
        ('idx_documents_created_at', 'btree (created_at DESC)'),
        ('idx_documents_metadata', 'gin (metadata)'),
        ('idx_documents_embedding', 'hnsw (embedding vector_cosine_ops) WHERE is_active')
    ) AS want (name, definition)
    WHERE to_regclass(want.name) IS NULL
       OR pg_get_indexdef(to_regclass(want.name)) NOT LIKE '% USING ' || replace(want.definition, '_', '\_')
       OR NOT (SELECT i.indisvalid FROM pg_catalog.pg_index AS i WHERE i.indexrelid = to_regclass(want.name));
    IF v_missing IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: missing, different or invalid index: %', v_missing;
    END IF;

    -- The application names only some of the columns.
    INSERT INTO documents (content, updated_at) VALUES ('check', '2001-01-01 00:00:00+00') RETURNING * INTO v_document;
    IF v_document.metadata IS DISTINCT FROM '{}'::JSONB
       OR v_document.version IS DISTINCT FROM 1
       OR v_document.is_active IS DISTINCT FROM TRUE
       OR v_document.embedding IS NOT NULL
       OR v_document.created_at IS DISTINCT FROM now() THEN
        RAISE EXCEPTION 'check failed: a document starts as %', v_document;
    END IF;

    UPDATE documents SET id = id WHERE id = v_document.id RETURNING updated_at INTO v_after;
    IF v_after <> v_document.updated_at THEN
        RAISE EXCEPTION 'check failed: an update that changes nothing sets updated_at';
    END IF;
    UPDATE documents SET embedding = array_fill(1::REAL, ARRAY[1536])::VECTOR WHERE id = v_document.id RETURNING updated_at INTO v_after;
    IF v_after < now() THEN
        RAISE EXCEPTION 'check failed: a new embedding leaves updated_at at %', v_after;
    END IF;
END;
$$;

INSERT INTO documents (content, category)
SELECT 'check', c.category
FROM unnest(ARRAY['policy', 'product', 'faq', 'procedure', 'vacancy', 'general']) AS c (category);

SELECT pg_temp.must_fail('a category that is none', '23514', $sql$
    INSERT INTO documents (content, category) VALUES ('check', 'news')
$sql$, 'documents_category_check');

SELECT pg_temp.must_fail('a document without content', '23502', $sql$
    INSERT INTO documents (title) VALUES ('check')
$sql$);

SELECT pg_temp.must_fail('an embedding of three numbers', '22000', $sql$
    INSERT INTO documents (content, embedding) VALUES ('check', '[1,2,3]')
$sql$);

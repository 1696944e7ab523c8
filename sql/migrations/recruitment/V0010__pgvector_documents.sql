-- dbctl: part vector
-- recruitment V0010: documents, the knowledge base, each with the embedding that it is found by.
--                    Needs pgvector 0.5.0 or later. The extension may be installed already, in any schema.
-- Lock: none that anybody could wait for; the table is new.

DO $$
DECLARE
    v_major INT := current_setting('server_version_num')::INT / 10000;
    v_schema NAME;
    v_version TEXT;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions AS a WHERE a.name = 'vector') THEN
        RAISE EXCEPTION 'pgvector is not installed on this server: install postgresql-%-pgvector or leave the vector set out with --without vector', v_major
            USING ERRCODE = 'feature_not_supported';
    END IF;

    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension AS e WHERE e.extname = 'vector') THEN
        BEGIN
            CREATE EXTENSION vector;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'role "%" may not create the extension "vector" in database "%"', current_user, current_database()
                USING ERRCODE = 'insufficient_privilege',
                      HINT = 'as a superuser, in this database: CREATE EXTENSION vector; or leave the vector set out with --without vector';
        END;
    END IF;

    SELECT n.nspname, e.extversion INTO STRICT v_schema, v_version
    FROM pg_catalog.pg_extension AS e
    JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
    WHERE e.extname = 'vector';

    -- Only HNSW finds the right rows in an index that was built before the rows came; ivfflat would have to be rebuilt.
    IF string_to_array(substring(v_version FROM '^[0-9]+(?:[.][0-9]+)*'), '.')::INT[] < ARRAY[0, 5] THEN
        RAISE EXCEPTION 'pgvector % has no HNSW index: version 0.5.0 or later is needed', v_version
            USING ERRCODE = 'feature_not_supported',
                  HINT = format('install a newer postgresql-%s-pgvector, then, in this database: ALTER EXTENSION vector UPDATE', v_major);
    END IF;

    -- For the statements below, until the transaction ends: the type and its operators may live in another schema.
    IF to_regtype('vector') IS NULL THEN
        PERFORM set_config('search_path', format('%s, %I', current_setting('search_path'), v_schema), TRUE);
    END IF;
END;
$$;

CREATE TABLE documents (
    id SERIAL PRIMARY KEY,

    content TEXT NOT NULL,
    title VARCHAR(500),

    embedding VECTOR(1536),  -- OpenAI text-embedding-3-small

    metadata JSONB DEFAULT '{}'::JSONB,

    category VARCHAR(50),

    source_type VARCHAR(50),  -- pdf, webpage, manual, api
    source_url VARCHAR(1000),
    source_file_name VARCHAR(255),

    version INT DEFAULT 1,
    is_active BOOLEAN DEFAULT TRUE,

    created_at TIMESTAMPTZ DEFAULT NOW(),
    updated_at TIMESTAMPTZ DEFAULT NOW(),

    CONSTRAINT documents_category_check
        CHECK (category IN ('policy', 'product', 'faq', 'procedure', 'vacancy', 'general'))
);

CREATE INDEX idx_documents_category ON documents (category);
CREATE INDEX idx_documents_is_active ON documents (is_active);
CREATE INDEX idx_documents_created_at ON documents (created_at DESC);
CREATE INDEX idx_documents_metadata ON documents USING gin (metadata);

-- HNSW needs no training: it finds the rows that come after it was made, which ivfflat on an empty table does not.
-- Only active documents with an embedding are ever searched, and only those are in it.
CREATE INDEX idx_documents_embedding
    ON documents USING hnsw (embedding vector_cosine_ops)
    WHERE is_active;

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON documents
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

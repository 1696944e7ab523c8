-- dbctl: part vector
-- recruitment: sample documents for a demo: at scale 1 about 200, each with an embedding. The embeddings are made up:
-- one direction for each of 24 topics, and some noise, so that documents of one topic are similar (about 0.8) and
-- documents of two are not.
-- Settings: dbctl.scale (1) multiplies the number of documents; dbctl.seed (1) changes what they say.
-- Run it again at any time: documents that are there are left alone.
-- Lock: ROW EXCLUSIVE, as any insert; ACCESS EXCLUSIVE on documents where most of them are added, for then the index on
--       the embeddings is dropped and built again, which takes a fifth of the time of adding to it row by row.

-- The type and its operators may live in a schema of their own.
SELECT set_config('search_path', format('%s, %I', current_setting('search_path'), n.nspname), TRUE)
FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = 'vector';

-- A number from 0 to p_choices - 1 that depends on p_key and the seed only.
CREATE OR REPLACE FUNCTION pg_temp.pick(p_key TEXT, p_choices INT)
RETURNS INT
LANGUAGE sql
STABLE
AS $$
    SELECT ((hashtextextended(p_key, COALESCE(NULLIF(current_setting('dbctl.seed', TRUE), ''), '1')::BIGINT)
             & 9223372036854775807) % p_choices)::INT
$$;

CREATE OR REPLACE FUNCTION pg_temp.scale()
RETURNS INT
LANGUAGE sql
STABLE
AS $$ SELECT COALESCE(NULLIF(current_setting('dbctl.scale', TRUE), ''), '1')::INT $$;

-- The n-th direction of a kind, of about the length p_length.
CREATE OR REPLACE FUNCTION pg_temp.direction(p_kind INT, p_n INT, p_length FLOAT)
RETURNS VECTOR
LANGUAGE sql
IMMUTABLE
AS $$
    SELECT array_agg(
        -- The spread of numbers that are equally likely between -1 and 1 is 1/sqrt(3).
        ((hashint8extended(d.n, p_kind * 1000 + p_n) & 65535) / 32767.5 - 1) * p_length * sqrt(3.0 / 1536)
        ORDER BY d.n
    )::REAL[]::VECTOR
    FROM generate_series(1::BIGINT, 1536) AS d (n)
$$;

-- The statement that builds the index again, or '' if the index stays.
SELECT set_config('dbctl.demo_index', '', TRUE);

DO $$
BEGIN
    IF 100 * pg_temp.scale() > (SELECT count(*) FROM documents)
       AND to_regclass('idx_documents_embedding') IS NOT NULL THEN
        PERFORM set_config('dbctl.demo_index', pg_get_indexdef('idx_documents_embedding'::REGCLASS), TRUE);
        DROP INDEX idx_documents_embedding;
    END IF;
END;
$$;

WITH topic AS MATERIALIZED (
    SELECT
        w.position - 1 AS n,
        w.category,
        w.title,
        pg_temp.direction(1, w.position::INT, 1.0) AS meaning
    FROM unnest(
        ARRAY['vacancy', 'vacancy', 'vacancy', 'vacancy', 'vacancy', 'vacancy', 'vacancy', 'vacancy',
              'product', 'product', 'product', 'product', 'policy', 'policy', 'policy', 'policy',
              'faq', 'faq', 'faq', 'faq', 'procedure', 'procedure', 'general', 'general'],
        ARRAY['Backend Developer', 'Frontend Developer', 'Data Engineer', 'Database Administrator',
              'Project Manager', 'Product Designer', 'Financial Controller', 'Marketing Lead',
              'Running shoe', 'Winter jacket', 'Hiking boot', 'Travel bag',
              'Return and Refund Policy', 'Privacy Policy', 'Terms of Service', 'Travel Policy',
              'Shipping', 'Payment', 'Accounts', 'Sizes',
              'Onboarding checklist', 'Complaint handling', 'Company history', 'Mission']
    ) WITH ORDINALITY AS w (category, title, position)
),
noise AS MATERIALIZED (
    SELECT k.kind, m.n, pg_temp.direction(k.kind, m.n, 0.35) AS meaning
    FROM (VALUES (2, 31), (3, 29)) AS k (kind, members)
    CROSS JOIN LATERAL generate_series(0, k.members - 1) AS m (n)
)
INSERT INTO documents (content, title, embedding, metadata, category, source_type, source_url, source_file_name,
                       version, is_active, created_at, updated_at)
SELECT
    CASE t.category
        WHEN 'vacancy' THEN format(
            '%s %s in %s. Duration %s months, budget €%s,000 to €%s,000 a year. You bring %s.',
            initcap(v.seniority), t.title, v.city, v.months, v.thousands, v.thousands + 20, array_to_string(v.skills, ' and '))
        WHEN 'product' THEN format('%s %s, €%s. In sizes 40 to 43, in black, white and red.', t.title, g.n, v.thousands + 0.99)
        ELSE format('%s, section %s. What customers and colleagues need to know, and whom to ask in %s.', t.title, g.n, v.city)
    END,
    CASE t.category WHEN 'vacancy' THEN format('%s %s - %s', initcap(v.seniority), t.title, initcap(v.job_type)) ELSE format('%s %s', t.title, g.n) END,
    -- One document in 50 still waits for its embedding.
    CASE WHEN g.n % 50 <> 49 THEN t.meaning + x.meaning + y.meaning END,
    CASE t.category
        WHEN 'vacancy' THEN jsonb_build_object(
            'job_type', v.job_type, 'budget_min', v.thousands * 1000, 'budget_max', (v.thousands + 20) * 1000,
            'location', v.city, 'duration_months', v.months, 'skills_required', to_jsonb(v.skills), 'seniority', v.seniority,
            'source', 'company_job_board', 'posted_date', to_char(v.at AT TIME ZONE 'UTC', 'YYYY-MM-DD'))
        WHEN 'product' THEN jsonb_build_object(
            'product_id', 'SKU-' || 10000 + g.n, 'price', v.thousands + 0.99, 'sizes_available', '["40", "41", "42", "43"]'::JSONB,
            'colors_available', '["black", "white", "red"]'::JSONB, 'in_stock', v.months > 4, 'source', 'product_catalog_api')
        ELSE jsonb_build_object(
            'section', (ARRAY['customer_service', 'hr', 'finance'])[1 + pg_temp.pick('section ' || g.n, 3)],
            'effective_date', to_char(v.at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 'source', 'company_handbook.pdf', 'page_number', 1 + g.n % 90)
    END,
    t.category,
    (ARRAY['pdf', 'webpage', 'manual', 'api'])[1 + pg_temp.pick('source ' || g.n, 4)],
    'https://kb.sample.example/' || g.n,
    CASE WHEN t.category IN ('policy', 'procedure') THEN 'company_handbook.pdf' END,
    1 + pg_temp.pick('version ' || g.n, 3),
    pg_temp.pick('active ' || g.n, 20) > 0,
    v.at,
    v.at
FROM generate_series(0, 200 * pg_temp.scale() - 1) AS g (n)
JOIN topic AS t ON t.n = g.n % 24
JOIN noise AS x ON x.kind = 2 AND x.n = g.n % 31
JOIN noise AS y ON y.kind = 3 AND y.n = g.n % 29
CROSS JOIN LATERAL (
    SELECT
        (ARRAY['interim', 'permanent', 'freelance'])[1 + pg_temp.pick('job ' || g.n, 3)],
        (ARRAY['junior', 'medior', 'senior'])[1 + pg_temp.pick('seniority ' || g.n, 3)],
        (ARRAY['Amsterdam', 'Rotterdam', 'Utrecht', 'Berlin', 'Lisbon'])[1 + pg_temp.pick('city ' || g.n, 5)],
        3 + pg_temp.pick('months ' || g.n, 10),
        40 + 5 * pg_temp.pick('budget ' || g.n, 15),
        ARRAY[
            (ARRAY['Python', 'Rust', 'Go', 'Java'])[1 + pg_temp.pick('language ' || g.n, 4)],
            (ARRAY['PostgreSQL', 'FastAPI', 'Docker', 'Kubernetes'])[1 + pg_temp.pick('tool ' || g.n, 4)]
        ],
        date_trunc('day', now(), 'UTC') - make_interval(mins => pg_temp.pick('document ' || g.n, 1000000))
) AS v (job_type, seniority, city, months, thousands, skills, at)
WHERE NOT EXISTS (SELECT FROM documents AS d WHERE d.source_url = 'https://kb.sample.example/' || g.n)
ORDER BY g.n;

DO $$
BEGIN
    IF current_setting('dbctl.demo_index') <> '' THEN
        -- Beyond this memory, building is as slow as adding row by row: 10 kB for each embedding.
        IF pg_size_bytes(current_setting('maintenance_work_mem')) < 512 * 1024 ^ 2 THEN
            SET LOCAL maintenance_work_mem = '512MB';
        END IF;
        EXECUTE current_setting('dbctl.demo_index');
        PERFORM set_config('dbctl.demo_index', '', TRUE);
    END IF;
END;
$$;

-- dbctl: part vector
-- check: a metadata filter means what it says: plain values, $eq, $ne, $gt, $gte, $lt, $lte, $in, several at once, and below other keys.

DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(format('%s by %s: %s', t.metadata, t.filter, document_metadata_matches(t.metadata, t.filter)), E'\n') INTO v_found
    FROM (VALUES
        ('{"budget_min": 70000}'::JSONB, '{"budget_min": {"$gte": 70000}}'::JSONB, TRUE),
        ('{"budget_min": 69999.99}', '{"budget_min": {"$gte": 70000}}', FALSE),
        ('{"budget_min": 100000}', '{"budget_min": {"$gte": 70000}}', TRUE),
        ('{"budget_min": 70000}', '{"budget_min": {"$gt": 70000}}', FALSE),
        ('{"budget_min": 70001}', '{"budget_min": {"$gt": 70000}}', TRUE),
        ('{"budget_min": 70000}', '{"budget_min": {"$lte": 70000}}', TRUE),
        ('{"budget_min": 70001}', '{"budget_min": {"$lte": 70000}}', FALSE),
        ('{"budget_min": 70000}', '{"budget_min": {"$lt": 70000}}', FALSE),
        ('{"budget_min": -5}', '{"budget_min": {"$lt": -4.5}}', TRUE),
        ('{"budget_min": 70000}', '{"budget_min": {"$gte": 60000, "$lt": 80000}}', TRUE),
        ('{"budget_min": 80000}', '{"budget_min": {"$gte": 60000, "$lt": 80000}}', FALSE),
        -- A number is compared with numbers only, a text with text only.
        ('{"budget_min": "80000"}', '{"budget_min": {"$gte": 70000}}', FALSE),
        ('{"posted_date": "2025-01-15"}', '{"posted_date": {"$gte": "2025-01-01", "$lt": "2025-02-01"}}', TRUE),
        ('{"posted_date": "2024-12-31"}', '{"posted_date": {"$gte": "2025-01-01"}}', FALSE),
        ('{}', '{"budget_min": {"$gte": 70000}}', FALSE),
        ('{"budget_min": null}', '{"budget_min": {"$lt": 70000}}', FALSE),
        ('{"location": "Amsterdam"}', '{"location": {"$eq": "Amsterdam"}}', TRUE),
        ('{"location": "Utrecht"}', '{"location": {"$eq": "Amsterdam"}}', FALSE),
        ('{"location": "Utrecht"}', '{"location": {"$ne": "Amsterdam"}}', TRUE),
        ('{"location": "Amsterdam"}', '{"location": {"$ne": "Amsterdam"}}', FALSE),
        ('{}', '{"location": {"$ne": "Amsterdam"}}', TRUE),
        ('{"location": 1}', '{"location": {"$ne": "Amsterdam"}}', TRUE),
        ('{"remote": true}', '{"remote": {"$eq": true}}', TRUE),
        ('{"remote": null}', '{"remote": {"$eq": null}}', TRUE),
        ('{}', '{"remote": {"$eq": null}}', FALSE),
        ('{"location": "Utrecht"}', '{"location": {"$in": ["Amsterdam", "Utrecht"]}}', TRUE),
        ('{"location": "Delft"}', '{"location": {"$in": ["Amsterdam", "Utrecht"]}}', FALSE),
        ('{"level": 2}', '{"level": {"$in": [1, 2, "3", null]}}', TRUE),
        ('{"location": "Delft"}', '{"location": {"$in": []}}', FALSE),
        -- A list meets a comparison if one of its elements does.
        ('{"skills": ["Python", "SQL"]}', '{"skills": {"$eq": "SQL"}}', TRUE),
        ('{"skills": ["Python", "SQL"]}', '{"skills": {"$ne": "SQL"}}', FALSE),
        ('{"skills": ["Python", "SQL"]}', '{"skills": {"$in": ["Rust", "SQL"]}}', TRUE),
        ('{"sizes": [40, "41", 42]}', '{"sizes": {"$gt": 41}}', TRUE),
        -- Plain values, as @> has them.
        ('{"job_type": "interim", "x": 1}', '{"job_type": "interim"}', TRUE),
        ('{"job_type": "permanent"}', '{"job_type": "interim"}', FALSE),
        ('{"skills": ["Python", "SQL"]}', '{"skills": ["SQL"]}', TRUE),
        ('{"skills": ["Python"]}', '{"skills": ["SQL"]}', FALSE),
        ('{"a": null}', '{"a": null}', TRUE),
        ('{"job_type": "interim"}', '{}', TRUE),
        -- Together, below other keys, and with names that need quotes.
        ('{"job_type": "interim", "budget_min": 80000}', '{"job_type": "interim", "budget_min": {"$gte": 70000}}', TRUE),
        ('{"job_type": "permanent", "budget_min": 80000}', '{"job_type": "interim", "budget_min": {"$gte": 70000}}', FALSE),
        ('{"job_type": "interim", "budget_min": 60000}', '{"job_type": "interim", "budget_min": {"$gte": 70000}}', FALSE),
        ('{"terms": {"months": 6, "kind": "a"}}', '{"terms": {"months": {"$gte": 6}, "kind": "a"}}', TRUE),
        ('{"terms": {"months": 5, "kind": "a"}}', '{"terms": {"months": {"$gte": 6}, "kind": "a"}}', FALSE),
        ('{"terms": {"months": 6, "kind": "b"}}', '{"terms": {"months": {"$gte": 6}, "kind": "a"}}', FALSE),
        ('{"an \"odd\" \\ key.$": "it''s \"so\""}', '{"an \"odd\" \\ key.$": {"$in": ["it''s \"so\""]}}', TRUE),
        ('{"an \"odd\" \\ key.$": "it''s not"}', '{"an \"odd\" \\ key.$": {"$in": ["it''s \"so\""]}}', FALSE),
        (NULL, NULL, TRUE),
        ('{"a": 1}', NULL, TRUE)
    ) AS t (metadata, filter, want)
    WHERE document_metadata_matches(t.metadata, t.filter) IS DISTINCT FROM t.want;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: filters mean something else: %', E'\n' || v_found;
    END IF;

    IF document_metadata_matches(NULL, '{"a": {"$ne": 1}}') THEN
        RAISE EXCEPTION 'check failed: no metadata at all meets a filter';
    END IF;
END;
$$;

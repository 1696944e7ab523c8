-- check: last_interaction_at keeps the offset it comes with, and is UTC without one, in every session.

DO $$
DECLARE
    v_zone TEXT;
    v_style TEXT;
    v_step RECORD;
    v_stored TIMESTAMPTZ;
BEGIN
    FOREACH v_zone IN ARRAY ARRAY['UTC', 'America/Sao_Paulo', 'Pacific/Auckland'] LOOP
        FOREACH v_style IN ARRAY ARRAY['ISO, YMD', 'SQL, DMY', 'German, DMY'] LOOP
            PERFORM set_config('TimeZone', v_zone, TRUE);
            PERFORM set_config('DateStyle', v_style, TRUE);
            FOR v_step IN
                SELECT s.given, s.stored
                FROM (VALUES
                    ('2026-10-08T21:30:00-03:00', TIMESTAMPTZ '2026-10-09 00:30:00+00'),
                    ('2026-10-08T21:30:00Z', TIMESTAMPTZ '2026-10-08 21:30:00+00'),
                    ('2026-10-08 21:30:00.123456', TIMESTAMPTZ '2026-10-08 21:30:00.123456+00'),
                    ('2026-10-08', TIMESTAMPTZ '2026-10-08 00:00:00+00'),
                    -- 2.30 a.m. did not exist in Auckland that day.
                    ('2026-09-27 02:30:00', TIMESTAMPTZ '2026-09-27 02:30:00+00')
                ) AS s (given, stored)
            LOOP
                PERFORM update_ai_insights(9000000000000101, jsonb_build_object('last_interaction_at', v_step.given));
                SELECT i.last_interaction_at INTO STRICT v_stored
                FROM ai_insights AS i
                WHERE i.krayin_lead_id = 9000000000000101
                  AND i.is_current;
                IF v_stored IS DISTINCT FROM v_step.stored THEN
                    RAISE EXCEPTION 'check failed: in a session at % (%) % is stored as %, not %',
                        v_zone, v_style, v_step.given, v_stored, v_step.stored;
                END IF;
            END LOOP;
            IF current_setting('TimeZone') <> v_zone THEN
                RAISE EXCEPTION 'check failed: update_ai_insights leaves the session at %', current_setting('TimeZone');
            END IF;
        END LOOP;
    END LOOP;
END;
$$;

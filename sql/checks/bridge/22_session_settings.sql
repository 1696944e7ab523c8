-- check: partitions, keys and counters come out the same whatever time zone, date style and search_path the session has.

-- Temporary tables that would be found first by a function that trusts the session.
CREATE TEMPORARY TABLE conversation_mappings (chatwoot_conversation_id BIGINT, message_count INT) ON COMMIT DROP;
CREATE TEMPORARY TABLE activity_message_keys (chatwoot_message_id BIGINT, created_at TIMESTAMPTZ) ON COMMIT DROP;
CREATE TEMPORARY TABLE ai_insights (id BIGINT) ON COMMIT DROP;
CREATE TABLE check_events (id BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL) PARTITION BY RANGE (at);

DO $$
DECLARE
    v_schema TEXT := current_schema();
    v_path TEXT := current_setting('search_path');
    v_zones TEXT[] := ARRAY['UTC', 'America/Sao_Paulo', 'Pacific/Auckland', 'Asia/Kolkata', 'Pacific/Kiritimati', 'Etc/GMT+12'];
    v_styles TEXT[] := ARRAY['ISO, YMD', 'SQL, DMY', 'Postgres, MDY', 'German, DMY'];
    v_wrong RECORD;
BEGIN
    -- Every month in another zone and style, over all changes to and from summer time of twelve years.
    FOR v_n IN 0..143 LOOP
        PERFORM set_config('TimeZone', v_zones[1 + v_n % 6], TRUE);
        PERFORM set_config('DateStyle', v_styles[1 + v_n % 4], TRUE);
        PERFORM set_config('search_path', 'pg_catalog', TRUE);
        EXECUTE format(
            'SELECT %I.ensure_range_partitions(%L, ''month'', $1, $1 + INTERVAL ''1 hour'')',
            v_schema, format('%I.check_events', v_schema)
        ) USING make_timestamptz(2019 + v_n / 12, 1 + v_n % 12, 1, 0, 0, 0, 'UTC');
    END LOOP;
    PERFORM set_config('search_path', v_path, TRUE);

    SELECT p.partition, p.lower_bound AT TIME ZONE 'UTC' AS lower_bound, p.upper_bound AT TIME ZONE 'UTC' AS upper_bound
    INTO v_wrong
    FROM (
        SELECT l.*, row_number() OVER (ORDER BY l.lower_bound) - 1 AS n
        FROM list_range_partitions('check_events') AS l
    ) AS p
    WHERE p.lower_bound AT TIME ZONE 'UTC' <> make_timestamp(2019, 1, 1, 0, 0, 0) + make_interval(months => p.n::INT)
       OR p.upper_bound AT TIME ZONE 'UTC' <> make_timestamp(2019, 1, 1, 0, 0, 0) + make_interval(months => p.n::INT + 1)
       OR p.partition::TEXT <> to_char(p.lower_bound AT TIME ZONE 'UTC', '"check_events_"YYYY_MM')
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'check failed: % goes from % to % at UTC', v_wrong.partition, v_wrong.lower_bound, v_wrong.upper_bound;
    END IF;
    IF 144 <> (SELECT count(*) FROM list_range_partitions('check_events')) THEN
        RAISE EXCEPTION 'check failed: 144 months have % partitions', (SELECT count(*) FROM list_range_partitions('check_events'));
    END IF;

    -- Expiry reads the same bounds: to the end of 2019 they are twelve, an hour earlier eleven.
    -- (Written out, the time zone of Kolkata is IST, and read back that is Israel's.)
    FOR v_n IN 0..23 LOOP
        PERFORM set_config('TimeZone', v_zones[1 + v_n % 6], TRUE);
        PERFORM set_config('DateStyle', v_styles[1 + v_n / 6], TRUE);
        IF 12 <> (SELECT count(*) FROM list_expired_partitions('check_events', '2020-01-01 00:00:00+00'))
           OR 11 <> (SELECT count(*) FROM list_expired_partitions('check_events', '2019-12-31 23:00:00+00')) THEN
            RAISE EXCEPTION 'check failed: at % (%) other partitions expire than at UTC',
                current_setting('TimeZone'), current_setting('DateStyle');
        END IF;
    END LOOP;
END;
$$;

DO $$
DECLARE
    v_schema TEXT := current_schema();
    v_path TEXT := current_setting('search_path');
    v_zone TEXT;
    v_found TEXT;
    v_first TEXT;
BEGIN
    FOREACH v_zone IN ARRAY ARRAY['UTC', 'America/Sao_Paulo', 'Pacific/Auckland'] LOOP
        PERFORM set_config('TimeZone', v_zone, TRUE);
        PERFORM set_config('DateStyle', 'SQL, DMY', TRUE);
        PERFORM set_config('search_path', 'pg_temp, pg_catalog', TRUE);
        EXECUTE format('SELECT %I.create_monthly_partitions()', v_schema);
        EXECUTE format('SELECT %I.drop_old_partitions(1200)', v_schema);
        PERFORM set_config('search_path', v_path, TRUE);

        SELECT string_agg(format('%s %s %s', p.partition, p.lower_bound AT TIME ZONE 'UTC', p.upper_bound AT TIME ZONE 'UTC'), E'\n')
        INTO v_found
        FROM list_range_partitions('activity_mappings') AS p;
        v_first := COALESCE(v_first, v_found);
        IF v_found <> v_first THEN
            RAISE EXCEPTION E'check failed: at % the partitions of messages are\n%\nnot\n%', v_zone, v_found, v_first;
        END IF;
        IF current_setting('TimeZone') <> v_zone OR current_setting('DateStyle') <> 'SQL, DMY' THEN
            RAISE EXCEPTION 'check failed: the session is left at %, %', current_setting('TimeZone'), current_setting('DateStyle');
        END IF;
    END LOOP;
END;
$$;

-- The triggers find the real tables, not the temporary ones.
DO $$
DECLARE
    v_schema TEXT := current_schema();
    v_count INT;
BEGIN
    EXECUTE format(
        'INSERT INTO %I.conversation_mappings (chatwoot_conversation_id, krayin_lead_id) VALUES (9000000000000001, 9000000000000101)',
        v_schema
    );
    PERFORM set_config('search_path', 'pg_temp, pg_catalog', TRUE);
    EXECUTE format(
        'INSERT INTO %I.activity_mappings (chatwoot_message_id, krayin_activity_id, conversation_id, message_type)
         VALUES (9000000000000001, 1, 9000000000000001, ''incoming'')',
        v_schema
    );
    EXECUTE format('SELECT %I.update_ai_insights(9000000000000101, ''{}'')', v_schema);
    EXECUTE format(
        'SELECT c.message_count FROM %I.conversation_mappings AS c WHERE c.chatwoot_conversation_id = 9000000000000001',
        v_schema
    ) INTO v_count;
    IF v_count <> 1 THEN
        RAISE EXCEPTION 'check failed: with a temporary conversation_mappings in the way the count is %', v_count;
    END IF;
    EXECUTE format(
        'SELECT count(*) FROM %I.activity_message_keys AS k WHERE k.chatwoot_message_id = 9000000000000001',
        v_schema
    ) INTO v_count;
    IF v_count <> 1 OR EXISTS (SELECT FROM pg_temp.activity_message_keys) THEN
        RAISE EXCEPTION 'check failed: the key of a message went into a temporary table';
    END IF;
    EXECUTE format('SELECT count(*) FROM %I.ai_insights AS i WHERE i.krayin_lead_id = 9000000000000101', v_schema) INTO v_count;
    IF v_count <> 1 THEN
        RAISE EXCEPTION 'check failed: an insight went into a temporary table';
    END IF;
END;
$$;

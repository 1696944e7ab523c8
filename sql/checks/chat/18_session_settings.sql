-- check: partitions, keys and the archive come out the same whatever time zone, date style and search_path the session has.

-- Gone at once where no transaction is open, and every block below fails: nothing is ever lost for a check.
CREATE TEMPORARY TABLE inside_transaction ON COMMIT DROP AS SELECT TRUE AS yes;

-- The id of somebody or something in this check.
CREATE FUNCTION pg_temp.id(p_name TEXT)
RETURNS UUID
LANGUAGE sql
IMMUTABLE
AS $$ SELECT md5('chat check ' || p_name)::UUID $$;

INSERT INTO users (id, username, first_name, last_name, email, password_hash, account_type_informal)
SELECT pg_temp.id(n.name), 'check ' || n.name, n.name, 'Check', n.name || '@check.invalid', 'secret',
       CASE WHEN n.name = 'gil' THEN 'guest' ELSE 'member' END::user_account_type_informal_enum
FROM unnest(ARRAY['ann', 'ben', 'cat', 'dan', 'gil']) AS n (name);

INSERT INTO chat_rooms (id, creator_id) VALUES (pg_temp.id('room'), pg_temp.id('ann'));
SELECT create_monthly_partitions();

-- Temporary tables that would be found first by a function that trusts the session.
CREATE TEMPORARY TABLE message_keys (id UUID, created_at TIMESTAMPTZ) ON COMMIT DROP;
CREATE TEMPORARY TABLE messages_history (id UUID) ON COMMIT DROP;
CREATE TEMPORARY TABLE users (id UUID, deleted_at TIMESTAMPTZ, current_account_status TEXT) ON COMMIT DROP;
CREATE TABLE check_events (id BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL) PARTITION BY RANGE (at);

DO $$
DECLARE
    v_schema TEXT := current_schema();
    v_path TEXT := current_setting('search_path');
    v_zones TEXT[] := ARRAY['UTC', 'America/Sao_Paulo', 'Pacific/Auckland', 'Asia/Kathmandu', 'Pacific/Kiritimati', 'Etc/GMT+12'];
    v_styles TEXT[] := ARRAY['ISO, YMD', 'SQL, DMY', 'Postgres, MDY', 'German, DMY'];
    v_month TIMESTAMPTZ;
    v_wrong TEXT;
    v_moved INTEGER := 0;
BEGIN
    PERFORM g.yes FROM inside_transaction AS g;

    -- Every month in another zone and style, over all changes to and from summer time of six years.
    FOR v_n IN 0..71 LOOP
        PERFORM set_config('TimeZone', v_zones[1 + v_n % 6], TRUE);
        PERFORM set_config('DateStyle', v_styles[1 + v_n % 4], TRUE);
        PERFORM set_config('search_path', 'pg_catalog', TRUE);
        v_month := make_timestamptz(1990 + v_n / 12, 1 + v_n % 12, 1, 0, 0, 0, 'UTC');
        EXECUTE format('SELECT %I.ensure_range_partitions(%L, ''month'', $1, $1 + INTERVAL ''1 microsecond'')', v_schema, format('%I.check_events', v_schema))
            USING v_month;
        IF v_n < 6 THEN
            EXECUTE format('SELECT %I.ensure_range_partitions(%L, ''month'', $1, $1 + INTERVAL ''1 microsecond'')', v_schema, format('%I.messages', v_schema))
                USING v_month;
        END IF;
        PERFORM set_config('search_path', v_path, TRUE);
    END LOOP;

    PERFORM set_config('DateStyle', 'SQL, DMY', TRUE);
    PERFORM set_config('TimeZone', 'America/Sao_Paulo', TRUE);
    SELECT string_agg(p.partition::TEXT, ', ') INTO v_wrong
    FROM list_range_partitions('check_events') AS p
    WHERE (p.lower_bound AT TIME ZONE 'UTC') <> date_trunc('month', p.lower_bound AT TIME ZONE 'UTC')
       OR (p.upper_bound AT TIME ZONE 'UTC') <> (p.lower_bound AT TIME ZONE 'UTC') + INTERVAL '1 month'
       OR p.partition::TEXT <> 'check_events' || to_char(p.lower_bound AT TIME ZONE 'UTC', '_YYYY_MM');
    IF v_wrong IS NOT NULL OR (SELECT count(*) FROM list_range_partitions('check_events')) <> 72 THEN
        RAISE EXCEPTION 'check failed: months that are not whole at UTC: %', v_wrong;
    END IF;

    EXECUTE format('INSERT INTO %I.messages (id, room_id, sender_id, content, created_at) VALUES ($1, $2, $3, '''', $4)', v_schema)
        USING pg_temp.id('old'), pg_temp.id('room'), pg_temp.id('ann'), make_timestamptz(1990, 1, 31, 23, 59, 59, 'UTC');
    EXECUTE format('UPDATE %I.messages SET content = ''changed'' WHERE id = $1', v_schema) USING pg_temp.id('old');
    EXECUTE format('SELECT %I.archive_old_messages(300)', v_schema) INTO v_moved;
    IF v_moved < 6 OR (SELECT count(*) FROM messages_archive AS m WHERE m.id = pg_temp.id('old') AND m.tableoid = 'messages_1990_01'::REGCLASS) <> 1 THEN
        RAISE EXCEPTION 'check failed: archive_old_messages moved % partitions of a session in another time zone', v_moved;
    END IF;

    IF EXISTS (SELECT FROM pg_temp.message_keys) OR EXISTS (SELECT FROM pg_temp.messages_history) THEN
        RAISE EXCEPTION 'check failed: a temporary table took the place of a table of the system';
    END IF;

    -- An identity that only a temporary table knows is nobody.
    INSERT INTO pg_temp.users VALUES (pg_temp.id('nobody'), NULL, 'active');
    PERFORM set_config('app.current_user_id', pg_temp.id('nobody')::TEXT, TRUE);
    IF signed_in_user_id() IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: signed_in_user_id() reads a temporary table';
    END IF;
END;
$$;

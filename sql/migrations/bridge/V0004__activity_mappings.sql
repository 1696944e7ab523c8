-- bridge V0004: activity_mappings, chat messages and the CRM activity each one became, one partition a month (UTC);
--               with the table that keeps a message id unique over all months, and the message counter.
-- Lock: none that anybody could wait for; the tables are new. V0010 makes the partitions.

CREATE TABLE activity_mappings (
    id BIGSERIAL,
    chatwoot_message_id BIGINT NOT NULL,
    krayin_activity_id BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    message_type VARCHAR(20) NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    PRIMARY KEY (id, created_at),
    CONSTRAINT chk_activity_mappings_message_type
        CHECK (message_type::TEXT IN ('incoming', 'outgoing', 'activity'))
) PARTITION BY RANGE (created_at);

-- A unique index of a partitioned table must contain the partition key, so this one holds within a month only.
-- It serves the lookup by message and ON CONFLICT; activity_message_keys holds over all months.
CREATE UNIQUE INDEX idx_activity_mappings_chatwoot_message_id
    ON activity_mappings (chatwoot_message_id, created_at);

CREATE INDEX idx_activity_mappings_krayin_activity_id
    ON activity_mappings (krayin_activity_id);

CREATE INDEX idx_activity_mappings_created_at
    ON activity_mappings (created_at DESC);

CREATE INDEX idx_activity_mappings_conversation_created
    ON activity_mappings (conversation_id, created_at DESC);

CREATE TABLE activity_message_keys (
    chatwoot_message_id BIGINT PRIMARY KEY,
    created_at TIMESTAMPTZ NOT NULL
);

-- Follows every row of activity_mappings in activity_message_keys: the primary key there refuses a second message
-- with the same id (23505), also when two sessions insert it at once. A row that an UPDATE moves to another month
-- arrives here as DELETE, then INSERT. SECURITY DEFINER: the application needs no rights on the key table.
CREATE FUNCTION track_activity_message_key()
RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO activity_message_keys (chatwoot_message_id, created_at)
        VALUES (NEW.chatwoot_message_id, NEW.created_at);

    ELSIF TG_OP = 'UPDATE' THEN
        UPDATE activity_message_keys AS k
        SET chatwoot_message_id = NEW.chatwoot_message_id,
            created_at = NEW.created_at
        WHERE k.chatwoot_message_id = OLD.chatwoot_message_id
          AND k.created_at = OLD.created_at;

        IF NOT FOUND THEN
            INSERT INTO activity_message_keys (chatwoot_message_id, created_at)
            VALUES (NEW.chatwoot_message_id, NEW.created_at);
        END IF;

    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM activity_message_keys AS k
        WHERE k.chatwoot_message_id = OLD.chatwoot_message_id
          AND k.created_at = OLD.created_at;

    ELSE
        TRUNCATE activity_message_keys;
    END IF;

    RETURN NULL;
END;
$$;

SELECT pin_search_path('track_activity_message_key()');

-- Whoever may execute it could put it on a table of their own and free or block message ids with it. Making a
-- partition copies the trigger and needs that right: the owner of activity_mappings must own the function too.
REVOKE EXECUTE ON FUNCTION track_activity_message_key() FROM PUBLIC;

-- Keeps message_count, last_message_at and first_response_at of the conversation. A late message never moves
-- last_message_at back; first_response_at is the earliest outgoing message. A changed row counts as taken away
-- and added again, which is also how a row that moves to another month arrives here.
CREATE FUNCTION update_conversation_message_count()
RETURNS TRIGGER
LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE conversation_mappings AS c
        SET message_count = c.message_count - 1
        WHERE c.chatwoot_conversation_id = OLD.conversation_id
          AND c.message_count > 0;
    END IF;

    IF TG_OP <> 'DELETE' THEN
        UPDATE conversation_mappings AS c
        SET message_count = c.message_count + 1,
            last_message_at = GREATEST(c.last_message_at, NEW.created_at),
            first_response_at = CASE
                WHEN NEW.message_type = 'outgoing' THEN LEAST(c.first_response_at, NEW.created_at)
                ELSE c.first_response_at
            END
        WHERE c.chatwoot_conversation_id = NEW.conversation_id;
    END IF;

    RETURN NULL;
END;
$$;

SELECT pin_search_path('update_conversation_message_count()');

-- AFTER, not BEFORE: a row that ON CONFLICT skips must neither claim a key nor be counted.
CREATE TRIGGER trigger_track_message_key
    AFTER INSERT OR DELETE ON activity_mappings
    FOR EACH ROW
    EXECUTE FUNCTION track_activity_message_key();

CREATE TRIGGER trigger_track_message_key_update
    AFTER UPDATE OF chatwoot_message_id, created_at ON activity_mappings
    FOR EACH ROW
    WHEN (OLD.chatwoot_message_id <> NEW.chatwoot_message_id OR OLD.created_at <> NEW.created_at)
    EXECUTE FUNCTION track_activity_message_key();

CREATE TRIGGER trigger_track_message_key_truncate
    AFTER TRUNCATE ON activity_mappings
    FOR EACH STATEMENT
    EXECUTE FUNCTION track_activity_message_key();

CREATE TRIGGER trigger_update_message_count
    AFTER INSERT OR DELETE ON activity_mappings
    FOR EACH ROW
    EXECUTE FUNCTION update_conversation_message_count();

CREATE TRIGGER trigger_update_message_count_update
    AFTER UPDATE OF conversation_id, message_type, created_at ON activity_mappings
    FOR EACH ROW
    WHEN (OLD.conversation_id <> NEW.conversation_id
          OR OLD.message_type <> NEW.message_type
          OR OLD.created_at <> NEW.created_at)
    EXECUTE FUNCTION update_conversation_message_count();

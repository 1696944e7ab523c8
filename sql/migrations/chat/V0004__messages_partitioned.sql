-- chat V0004: messages, one partition a month (UTC), and message_keys, which keeps a message id unique over all months.
-- Lock: none that anybody could wait for; the tables are new. V0011 makes the partitions.
--
-- Decided here:
-- A primary key of a partitioned table contains the partition key: pk_messages is (id, created_at). That an id is there
--   once, as designed, is kept by message_keys; the foreign keys that the design points at messages (id) point there.
--   They are foreign keys still (23503, safe when sessions race), and hold for messages that V0010 has archived, too.
-- robot_response_to is a foreign key as well: the design says that it refers to another message.
-- thread_id is left free: the design does not say what it names.

CREATE TABLE message_keys (
    id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,

    CONSTRAINT pk_message_keys PRIMARY KEY (id)
);

-- For the purge of V0010, which looks for old keys: they come in the order of time.
CREATE INDEX idx_message_keys_created_at
    ON message_keys USING brin (created_at);

CREATE TABLE messages (
    id UUID DEFAULT uuid_generate_v4() NOT NULL,
    room_id UUID NOT NULL,
    sender_id UUID NOT NULL,

    -- Content
    message_type message_type_enum NOT NULL DEFAULT 'chat',
    content TEXT NOT NULL,
    content_metadata JSONB DEFAULT '{}' NOT NULL,

    -- Robot interaction
    robot_id VARCHAR,
    robot_response_to UUID, -- References another message
    is_robot_visible_to_guests BOOLEAN DEFAULT FALSE,

    -- Delivery
    delivery_status delivery_status_enum NOT NULL DEFAULT 'streaming',

    -- Threading
    reply_to_message_id UUID,
    thread_id UUID,

    -- Timestamps
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    deleted_at TIMESTAMPTZ,

    CONSTRAINT pk_messages PRIMARY KEY (id, created_at),
    CONSTRAINT fk_messages_room FOREIGN KEY (room_id) REFERENCES chat_rooms (id),
    CONSTRAINT fk_messages_sender FOREIGN KEY (sender_id) REFERENCES users (id),
    CONSTRAINT fk_messages_reply_to FOREIGN KEY (reply_to_message_id) REFERENCES message_keys (id),
    CONSTRAINT fk_messages_robot_response_to FOREIGN KEY (robot_response_to) REFERENCES message_keys (id)
) PARTITION BY RANGE (created_at);

-- Follows every row of messages in message_keys: the primary key there refuses a second message with the same id
-- (23505), also when two sessions insert it at once. SECURITY DEFINER: the application needs no rights on the key table.
--
-- BEFORE a row comes, so that a statement with several messages may put a reply before what it replies to. A row that
-- ON CONFLICT skips is there already, with its key. A row that an UPDATE moves to another month arrives here as
-- UPDATE, then INSERT, then DELETE: its key has moved by then, and neither of the latter two touches it.
CREATE FUNCTION track_message_key()
RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM message_keys AS k
        WHERE k.id = OLD.id
          AND k.created_at = OLD.created_at;
        RETURN NULL;
    END IF;

    IF TG_OP = 'UPDATE' THEN
        UPDATE message_keys AS k
        SET id = NEW.id,
            created_at = NEW.created_at
        WHERE k.id = OLD.id
          AND k.created_at = OLD.created_at;
        IF FOUND THEN
            RETURN NEW;
        END IF;
    END IF;

    INSERT INTO message_keys (id, created_at)
    VALUES (NEW.id, NEW.created_at)
    ON CONFLICT (id) DO NOTHING;

    -- A key of the very same row: pk_messages decides.
    IF NOT FOUND AND NOT EXISTS (
        SELECT FROM message_keys AS k WHERE k.id = NEW.id AND k.created_at = NEW.created_at
    ) THEN
        RAISE EXCEPTION 'duplicate key value violates unique constraint "pk_messages"'
            USING ERRCODE = 'unique_violation',
                  DETAIL = format('Key (id)=(%s) already exists.', NEW.id),
                  SCHEMA = TG_TABLE_SCHEMA,
                  TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'pk_messages';
    END IF;

    RETURN NEW;
END;
$$;

SELECT pin_search_path('track_message_key()');

-- Whoever may execute it could put it on a table of their own and free or block message ids with it.
REVOKE EXECUTE ON FUNCTION track_message_key() FROM PUBLIC;

CREATE TRIGGER track_message_key_insert_trigger
    BEFORE INSERT ON messages
    FOR EACH ROW
    EXECUTE FUNCTION track_message_key();

CREATE TRIGGER track_message_key_update_trigger
    BEFORE UPDATE OF id, created_at ON messages
    FOR EACH ROW
    WHEN (OLD.id <> NEW.id OR OLD.created_at <> NEW.created_at)
    EXECUTE FUNCTION track_message_key();

CREATE TRIGGER track_message_key_delete_trigger
    AFTER DELETE ON messages
    FOR EACH ROW
    EXECUTE FUNCTION track_message_key();

-- chat V0005: chat_file_attachments, files that hang on messages, and robot_interactions, what robots were asked.
-- Lock: none that anybody could wait for; the tables are new. The foreign keys lock users and message_keys against
--       writers (SHARE ROW EXCLUSIVE) for a change of the catalog.

CREATE TABLE chat_file_attachments (
    id UUID DEFAULT uuid_generate_v4() NOT NULL,
    message_id UUID NOT NULL,

    -- File info (reference to file manager)
    file_manager_file_id UUID NOT NULL,
    original_filename VARCHAR NOT NULL,
    file_size BIGINT NOT NULL,
    mime_type VARCHAR NOT NULL,

    -- Chat-specific metadata
    thumbnail_url VARCHAR,
    preview_available BOOLEAN DEFAULT FALSE,

    -- Access control
    owner_id UUID NOT NULL,

    -- Timestamps
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    deleted_at TIMESTAMPTZ,

    CONSTRAINT pk_chat_file_attachments PRIMARY KEY (id),
    CONSTRAINT fk_chat_file_attachments_message FOREIGN KEY (message_id) REFERENCES message_keys (id),
    CONSTRAINT fk_chat_file_attachments_owner FOREIGN KEY (owner_id) REFERENCES users (id),
    CONSTRAINT chk_chat_file_attachments_file_size CHECK (file_size >= 0)
);

CREATE TABLE robot_interactions (
    id UUID DEFAULT uuid_generate_v4() NOT NULL,
    message_id UUID NOT NULL,
    robot_id VARCHAR NOT NULL,

    -- Request
    request_data JSONB NOT NULL,
    observation_data JSONB,

    -- Response
    response_data JSONB,
    status robot_status_enum NOT NULL DEFAULT 'pending',
    error_message TEXT,

    -- Timing
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    completed_at TIMESTAMPTZ,

    -- Timestamps
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,

    CONSTRAINT pk_robot_interactions PRIMARY KEY (id),
    CONSTRAINT fk_robot_interactions_message FOREIGN KEY (message_id) REFERENCES message_keys (id)
);

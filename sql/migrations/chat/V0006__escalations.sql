-- chat V0006: escalations, rooms that a support level hands to another.
-- Lock: none that anybody could wait for; the table is new. The foreign keys lock users and chat_rooms against writers
--       (SHARE ROW EXCLUSIVE) for a change of the catalog.

CREATE TABLE escalations (
    id UUID DEFAULT uuid_generate_v4() NOT NULL,
    source_room_id UUID NOT NULL,
    target_room_id UUID, -- May create new room

    -- Escalation details
    escalation_reason TEXT NOT NULL,
    from_level support_level_enum NOT NULL,
    to_level support_level_enum NOT NULL,
    priority INTEGER DEFAULT 3, -- 1=high, 5=low

    -- Tracking
    created_by_user_id UUID NOT NULL,
    assigned_to_user_id UUID,
    status escalation_status_enum NOT NULL DEFAULT 'created',

    -- Resolution
    resolution_notes TEXT,
    resolved_at TIMESTAMPTZ,

    -- Timestamps
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,

    CONSTRAINT pk_escalations PRIMARY KEY (id),
    CONSTRAINT fk_escalations_source_room FOREIGN KEY (source_room_id) REFERENCES chat_rooms (id),
    CONSTRAINT fk_escalations_target_room FOREIGN KEY (target_room_id) REFERENCES chat_rooms (id),
    CONSTRAINT fk_escalations_created_by FOREIGN KEY (created_by_user_id) REFERENCES users (id),
    CONSTRAINT fk_escalations_assigned_to FOREIGN KEY (assigned_to_user_id) REFERENCES users (id),
    CONSTRAINT chk_escalations_priority CHECK (priority BETWEEN 1 AND 5)
);

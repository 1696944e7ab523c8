-- chat V0002: users, and the permissions that they hold (domain:function:action).
-- Lock: none that anybody could wait for; the tables are new.
--
-- Decided here:
-- A soft-deleted user keeps username and email (the two UNIQUE constraints stand as designed): old messages stay
--   attributable, nobody can slip into a name. erase_user_data() (V0010) frees both when the law asks for it.
-- current_status is free text but not blank: the design names only 'offline', a list would refuse the clients' own states.
-- The design reuses permission tables of another project. Here are the one that it fills, access_permission_domains,
--   and the one that makes it work: user_access_permissions, who holds which action of which prefix ('*': all of them).

CREATE TABLE users (
    id UUID DEFAULT uuid_generate_v4() NOT NULL,
    username VARCHAR NOT NULL,
    first_name VARCHAR NOT NULL,
    last_name VARCHAR NOT NULL,
    email VARCHAR NOT NULL,
    password_hash VARCHAR NOT NULL,

    -- Chat-specific fields
    display_name VARCHAR,
    avatar_url VARCHAR,
    current_status VARCHAR DEFAULT 'offline' NOT NULL,
    last_seen_at TIMESTAMPTZ,
    chat_preferences JSONB DEFAULT '{}' NOT NULL,

    -- Profile fields
    account_type_informal user_account_type_informal_enum NOT NULL DEFAULT 'guest',
    current_account_status user_account_status_enum NOT NULL DEFAULT 'pending-verification',
    is_email_verified BOOLEAN NOT NULL DEFAULT FALSE,

    -- Timestamps
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    deleted_at TIMESTAMPTZ,

    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_username UNIQUE (username),
    CONSTRAINT uq_users_email UNIQUE (email),
    CONSTRAINT chk_users_current_status CHECK (current_status ~ '\S')
);

CREATE TABLE access_permission_domains (
    id UUID DEFAULT uuid_generate_v4() NOT NULL,
    permission_prefix VARCHAR NOT NULL,
    description TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,

    CONSTRAINT pk_access_permission_domains PRIMARY KEY (id),
    CONSTRAINT uq_access_permission_domains_prefix UNIQUE (permission_prefix),
    CONSTRAINT chk_access_permission_domains_prefix CHECK (permission_prefix ~ '^[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*$')
);

CREATE TABLE user_access_permissions (
    user_id UUID NOT NULL,
    permission_prefix VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    granted_by_user_id UUID,
    granted_at TIMESTAMPTZ NOT NULL DEFAULT now(),

    CONSTRAINT pk_user_access_permissions PRIMARY KEY (user_id, permission_prefix, action),
    CONSTRAINT fk_user_access_permissions_user FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_user_access_permissions_prefix
        FOREIGN KEY (permission_prefix) REFERENCES access_permission_domains (permission_prefix) ON UPDATE CASCADE,
    CONSTRAINT fk_user_access_permissions_granted_by FOREIGN KEY (granted_by_user_id) REFERENCES users (id),
    CONSTRAINT chk_user_access_permissions_action CHECK (action ~ '^([*]|[a-z][a-z0-9_-]*)$')
);

CREATE INDEX idx_user_access_permissions_prefix
    ON user_access_permissions (permission_prefix);

CREATE INDEX idx_user_access_permissions_granted_by
    ON user_access_permissions (granted_by_user_id)
    WHERE granted_by_user_id IS NOT NULL;

-- Does the user hold the permission, 'chat:room:create' say? Not when the account is deleted, suspended or closed.
CREATE FUNCTION user_has_permission(p_user_id UUID, p_permission TEXT)
RETURNS BOOLEAN
LANGUAGE sql
STABLE
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT
        FROM user_access_permissions AS g
        JOIN users AS u ON u.id = g.user_id
        WHERE g.user_id = p_user_id
          AND p_permission IN (g.permission_prefix || ':' || g.action,
                               CASE WHEN g.action = '*' THEN substring(p_permission FROM '^' || g.permission_prefix || ':[a-z][a-z0-9_-]*$') END)
          AND u.deleted_at IS NULL
          AND u.current_account_status IN ('pending-verification', 'active')
    );
END;

SELECT pin_search_path('user_has_permission(UUID, TEXT)');
REVOKE EXECUTE ON FUNCTION user_has_permission(UUID, TEXT) FROM PUBLIC;

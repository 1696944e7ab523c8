-- fsm V0007: audit_log, one partition a month (UTC); rows are only ever added to it.
-- Lock: none that anybody could wait for; the table is new. V0008 makes the partitions, V0009 the triggers that fill it.

-- record_id is text: not every key is a UUID. user_id has no foreign key: who acted stays known after they are deleted.
CREATE TABLE audit.audit_log (
    id BIGSERIAL NOT NULL,
    table_name VARCHAR(100) NOT NULL,
    record_id TEXT NOT NULL,
    action VARCHAR(20) NOT NULL CHECK (action IN ('INSERT', 'UPDATE', 'DELETE')),
    user_id UUID,
    ip_address INET,
    old_values JSONB,
    new_values JSONB,
    changed_fields TEXT[],
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    table_schema VARCHAR(100),

    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

-- Refuses the statement that fired it: for tables to which rows are only ever added.
CREATE FUNCTION audit.reject_change()
RETURNS TRIGGER
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '% on "%.%" refused: rows are only ever added to it', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege',
              SCHEMA = TG_TABLE_SCHEMA,
              TABLE = TG_TABLE_NAME,
              HINT = 'old rows leave by dropping whole partitions';
END;
$$;

REVOKE EXECUTE ON FUNCTION audit.reject_change() FROM PUBLIC;

CREATE TRIGGER reject_change
    BEFORE UPDATE OR DELETE ON audit.audit_log
    FOR EACH ROW
    EXECUTE FUNCTION audit.reject_change();

CREATE TRIGGER reject_truncate
    BEFORE TRUNCATE ON audit.audit_log
    FOR EACH STATEMENT
    EXECUTE FUNCTION audit.reject_change();

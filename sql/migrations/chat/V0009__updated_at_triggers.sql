-- chat V0009: updated_at follows every change of a row.
-- Lock: SHARE ROW EXCLUSIVE on each table for a change of the catalog.

CREATE TRIGGER set_updated_at_trigger
    BEFORE UPDATE ON users
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

CREATE TRIGGER set_updated_at_trigger
    BEFORE UPDATE ON access_permission_domains
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

CREATE TRIGGER set_updated_at_trigger
    BEFORE UPDATE ON chat_rooms
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

CREATE TRIGGER set_updated_at_trigger
    BEFORE UPDATE ON room_participants
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

CREATE TRIGGER set_updated_at_trigger
    BEFORE UPDATE ON messages
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

CREATE TRIGGER set_updated_at_trigger
    BEFORE UPDATE ON chat_file_attachments
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

CREATE TRIGGER set_updated_at_trigger
    BEFORE UPDATE ON robot_interactions
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

CREATE TRIGGER set_updated_at_trigger
    BEFORE UPDATE ON escalations
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

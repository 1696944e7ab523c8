-- fsm V0004: tasks, one partition a month (UTC), with their comments and attachments.
-- Lock: SHARE ROW EXCLUSIVE on auth.users and app.projects for the foreign keys; the tables are new, nothing is scanned.
--       V0008 makes the partitions.

CREATE TABLE app.tasks (
    id UUID NOT NULL DEFAULT gen_random_uuid(),
    project_id UUID NOT NULL REFERENCES app.projects (id) ON DELETE CASCADE,
    parent_task_id UUID,
    title VARCHAR(500) NOT NULL,
    description TEXT,
    status VARCHAR(50) DEFAULT 'todo'
        CHECK (status IN ('todo', 'in_progress', 'review', 'done', 'blocked', 'cancelled')),
    priority VARCHAR(20) DEFAULT 'medium' CHECK (priority IN ('low', 'medium', 'high', 'urgent')),
    assignee_id UUID REFERENCES auth.users (id),
    reporter_id UUID REFERENCES auth.users (id),
    due_date TIMESTAMPTZ,
    estimated_hours DECIMAL(10,2),
    actual_hours DECIMAL(10,2),
    tags TEXT[],
    metadata JSONB DEFAULT '{}'::JSONB,
    position INTEGER,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now(),
    completed_at TIMESTAMPTZ,
    deleted_at TIMESTAMPTZ,

    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

CREATE TABLE app.comments (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    task_id UUID NOT NULL,
    user_id UUID NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    parent_comment_id UUID REFERENCES app.comments (id) ON DELETE CASCADE,
    content TEXT NOT NULL,
    mentions UUID[],
    attachments JSONB DEFAULT '[]'::JSONB,
    is_edited BOOLEAN DEFAULT FALSE,
    created_at TIMESTAMPTZ DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now(),
    deleted_at TIMESTAMPTZ
);

CREATE TABLE app.attachments (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    task_id UUID,
    comment_id UUID REFERENCES app.comments (id) ON DELETE CASCADE,
    uploaded_by UUID NOT NULL REFERENCES auth.users (id),
    file_name VARCHAR(255) NOT NULL,
    file_size BIGINT NOT NULL,
    mime_type VARCHAR(100) NOT NULL,
    storage_path TEXT NOT NULL,
    storage_provider VARCHAR(50) DEFAULT 'gcs',
    checksum VARCHAR(64),
    metadata JSONB DEFAULT '{}'::JSONB,
    created_at TIMESTAMPTZ DEFAULT now(),
    deleted_at TIMESTAMPTZ,

    CHECK (task_id IS NOT NULL OR comment_id IS NOT NULL)
);

-- A foreign key to tasks (id) is impossible: the key of a partitioned table contains created_at, which those who
-- point to a task do not know. The two functions below do what it would do, ON DELETE CASCADE included.

-- Refuses (23503) a row whose task does not exist. TG_ARGV[0] names the column. Locks the task as a foreign key
-- would, so that nobody deletes it before this transaction ends. SECURITY DEFINER: a task that the caller may not
-- see exists all the same; who may point to it is decided by row level security, before this trigger.
CREATE FUNCTION app.check_task_exists()
RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_task_id UUID := (to_jsonb(NEW) ->> TG_ARGV[0])::UUID;
BEGIN
    PERFORM FROM app.tasks AS t WHERE t.id = v_task_id FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION '%.% points to a task that does not exist: %', TG_TABLE_NAME, TG_ARGV[0], v_task_id
            USING ERRCODE = 'foreign_key_violation',
                  SCHEMA = TG_TABLE_SCHEMA,
                  TABLE = TG_TABLE_NAME,
                  COLUMN = TG_ARGV[0];
    END IF;
    RETURN NULL;
END;
$$;

-- Takes comments and attachments along with their task, and frees its subtasks. A task that an UPDATE moves to
-- another month arrives here as a deleted row while a row with its id exists: nothing is taken then.
-- SECURITY DEFINER: comments of others go too, whoever may delete the task.
CREATE FUNCTION app.delete_task_children()
RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM app.tasks AS t WHERE t.id = OLD.id) THEN
        DELETE FROM app.attachments AS a WHERE a.task_id = OLD.id;
        DELETE FROM app.comments AS c WHERE c.task_id = OLD.id;
        UPDATE app.tasks AS t SET parent_task_id = NULL WHERE t.parent_task_id = OLD.id;
    END IF;
    RETURN NULL;
END;
$$;

-- Whoever may execute them could put them on tables of their own and run them with the owner's rights.
REVOKE EXECUTE ON FUNCTION app.check_task_exists(), app.delete_task_children() FROM PUBLIC;

CREATE TRIGGER check_task_exists
    AFTER INSERT OR UPDATE OF task_id ON app.comments
    FOR EACH ROW
    EXECUTE FUNCTION app.check_task_exists('task_id');

CREATE TRIGGER check_task_exists
    AFTER INSERT OR UPDATE OF task_id ON app.attachments
    FOR EACH ROW
    WHEN (NEW.task_id IS NOT NULL)
    EXECUTE FUNCTION app.check_task_exists('task_id');

CREATE TRIGGER check_task_exists
    AFTER INSERT OR UPDATE OF parent_task_id ON app.tasks
    FOR EACH ROW
    WHEN (NEW.parent_task_id IS NOT NULL)
    EXECUTE FUNCTION app.check_task_exists('parent_task_id');

CREATE TRIGGER delete_task_children
    AFTER DELETE ON app.tasks
    FOR EACH ROW
    EXECUTE FUNCTION app.delete_task_children();

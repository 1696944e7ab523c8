-- What dbctl keeps in a database: its runs, what each did, and what it knows of applied migrations.
-- Made by the first mutating command under its own lock; ignored by drift.
-- IF NOT EXISTS would ask for the right to create schemas even where the schema is there.
DO $$
BEGIN
    IF pg_catalog.to_regnamespace('dbctl') IS NULL THEN
        CREATE SCHEMA dbctl;
    END IF;
END;
$$;

CREATE TABLE IF NOT EXISTS dbctl.run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    outcome text,
    detail text,
    backend_pid integer NOT NULL,
    role text NOT NULL DEFAULT session_user,
    dbctl_version text NOT NULL
);
COMMENT ON TABLE dbctl.run IS 'One row for every run of dbctl that changed or tried to change this database';
COMMENT ON COLUMN dbctl.run.finished_at IS 'NULL while the run works, and for ever if it was killed';

CREATE TABLE IF NOT EXISTS dbctl.journal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint NOT NULL REFERENCES dbctl.run (id),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    subject text NOT NULL,
    statement integer,
    sql_hash text,
    state text NOT NULL CHECK (state IN ('started', 'finished', 'applied', 'undone', 'failed', 'repaired')),
    detail jsonb
);
CREATE INDEX IF NOT EXISTS journal_subject ON dbctl.journal (subject, id);
COMMENT ON TABLE dbctl.journal IS 'What each run did: a row for a step (statement is NULL) or for one statement outside a transaction';

CREATE TABLE IF NOT EXISTS dbctl.migration (
    history text NOT NULL,
    version bigint NOT NULL,
    system text,
    normal_form text NOT NULL,
    PRIMARY KEY (history, version)
);
COMMENT ON TABLE dbctl.migration IS 'The applied text of each migration without comments and white space, as SHA-256';

CREATE TABLE IF NOT EXISTS dbctl.partition_policy (
    parent text PRIMARY KEY,
    keep text NOT NULL,
    expire text NOT NULL,
    armed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    armed_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE dbctl.partition_policy IS 'The retention under which partitions of a table were last let go: a shorter one asks again';

CREATE TABLE IF NOT EXISTS dbctl.partition (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent text NOT NULL,
    parent_oid oid NOT NULL,
    partition text NOT NULL,
    oid oid NOT NULL,
    relfilenode oid,
    lower text NOT NULL,
    upper text NOT NULL,
    mode text NOT NULL,
    state text NOT NULL CHECK (state IN (
        'leaving', 'exported', 'detached', 'frozen', 'aside', 'dropped', 'moved', 'attached', 'kept', 'restored', 'undone'
    )),
    place text,
    uri text,
    rows bigint,
    content_hash text,
    file_sha256 text,
    file_bytes bigint,
    -- Not jsonb: its sum is over the text as it was written.
    manifest json,
    drop_after timestamptz,
    hooks_due boolean NOT NULL DEFAULT false,
    run bigint REFERENCES dbctl.run (id),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS partition_oid ON dbctl.partition (oid, id);
COMMENT ON TABLE dbctl.partition IS 'Partitions that have left or are leaving their table, and how far each has come';
COMMENT ON COLUMN dbctl.partition.partition IS 'Its name while it was attached';
COMMENT ON COLUMN dbctl.partition.place IS 'Where it is now, while it exists detached';
COMMENT ON COLUMN dbctl.partition.hooks_due IS 'The policy''s after_expire has not been run to its end since';
COMMENT ON COLUMN dbctl.partition.lower IS 'The lower bound as pg_get_expr printed it at UTC, or MINVALUE';

CREATE TABLE IF NOT EXISTS dbctl.hold (
    id text PRIMARY KEY,
    tables text[] NOT NULL,
    from_day date,
    to_day date,
    reason text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    added_by text NOT NULL DEFAULT session_user,
    lifted_at timestamptz,
    lifted_by text
);
COMMENT ON TABLE dbctl.hold IS 'Legal holds besides those of the policy file';

CREATE TABLE IF NOT EXISTS dbctl.row_job (
    job text NOT NULL,
    relation oid NOT NULL,
    until text NOT NULL,
    rows bigint NOT NULL,
    done_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (job, relation)
);
COMMENT ON TABLE dbctl.row_job IS 'Closed partitions that a row job has visited for good';

CREATE TABLE IF NOT EXISTS dbctl.adoption (
    relation oid PRIMARY KEY,
    table_name text NOT NULL,
    plan jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('begun', 'swapped', 'aborted', 'done')),
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE dbctl.adoption IS 'Plain tables that are being made partitioned, in place';

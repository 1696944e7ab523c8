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

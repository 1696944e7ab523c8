//! Folders of migrations to disturb.

use std::path::PathBuf;

/// A folder of migrations, removed at the end.
pub struct Migrations {
    folder: tempfile::TempDir,
}

impl Migrations {
    /// Files by name.
    pub fn of(files: &[(&str, &str)]) -> Migrations {
        let migrations = Migrations { folder: tempfile::tempdir().expect("a folder can be made") };
        for (name, sql) in files {
            migrations.write(name, sql);
        }
        migrations
    }

    /// Adds or replaces a file.
    pub fn write(&self, name: &str, sql: &str) {
        std::fs::write(self.file(name), sql).expect("a file can be written");
    }

    /// The folder.
    pub fn path(&self) -> &str {
        self.folder.path().to_str().expect("temporary folders have plain names")
    }

    /// How many files there are.
    pub fn count(&self) -> usize {
        std::fs::read_dir(self.folder.path()).expect("the folder is there").count()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Every way in which a statement reaches the server. `gate.slow` belongs to the test: the second
/// file sleeps for as long as a row is in it.
pub fn five_files() -> Migrations {
    Migrations::of(&[
        (
            "V1__base.sql",
            "CREATE TABLE witness (version int NOT NULL, step text NOT NULL);\n\
             CREATE TABLE account (id int PRIMARY KEY, email text NOT NULL, note text);\n\
             INSERT INTO account SELECT i, 'a' || i, 'n' || i % 7 FROM pg_catalog.generate_series(1, 300) AS g (i);\n\
             CREATE INDEX account_old ON account (note);\n\
             CREATE TABLE event (at int NOT NULL, what text) PARTITION BY RANGE (at);\n\
             CREATE TABLE event_old PARTITION OF event FOR VALUES FROM (0) TO (10);\n\
             CREATE TABLE event_new PARTITION OF event FOR VALUES FROM (10) TO (20);\n\
             INSERT INTO event SELECT i, 'e' FROM pg_catalog.generate_series(0, 19) AS g (i);\n\
             INSERT INTO witness VALUES (1, 'base');\n",
        ),
        (
            "V2__slow.sql",
            "ALTER TABLE account ADD COLUMN active boolean NOT NULL DEFAULT true;\n\
             SELECT pg_catalog.pg_sleep(seconds) FROM gate.slow;\n\
             INSERT INTO witness VALUES (2, 'slow');\n",
        ),
        (
            "V3__indexes.sql",
            "CREATE UNIQUE INDEX CONCURRENTLY account_email ON account (email);\n\
             CREATE INDEX CONCURRENTLY IF NOT EXISTS account_note ON public.account (note, active);\n\
             VACUUM (ANALYZE) account;\n",
        ),
        (
            "V4__upkeep.sql",
            "-- dbctl: no-transaction\n\
             DROP INDEX CONCURRENTLY account_old;\n\
             REINDEX TABLE CONCURRENTLY account;\n\
             INSERT INTO witness VALUES (4, 'upkeep');\n\
             ALTER TABLE event DETACH PARTITION event_old CONCURRENTLY;\n",
        ),
        (
            "V5__end.sql",
            "ALTER TABLE event_old ADD COLUMN archived boolean NOT NULL DEFAULT true;\n\
             CREATE FUNCTION active() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM account WHERE active';\n\
             INSERT INTO witness VALUES (5, 'end');\n",
        ),
    ])
}

/// Makes `gate.slow`, which outlives [`super::empty`].
pub fn gate(db: &crate::harness::Database) {
    db.sql("CREATE SCHEMA gate; CREATE TABLE gate.slow (seconds int NOT NULL)");
}

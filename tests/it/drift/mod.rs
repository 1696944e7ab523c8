//! `dbctl drift` on real servers, run as a stranger would run it. The single mutations of every kind are
//! elsewhere; here it is where expectations come from, what counts, and that nothing is written.

mod before;
mod counts;
mod partitions;
mod reading;
mod sides;
mod systems;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Database, Run, dbctl, run};

const TABLE: (&str, &str) = (
    "V1__orders.sql",
    "CREATE SCHEMA app;
     CREATE TABLE app.orders (id bigint PRIMARY KEY, total integer NOT NULL DEFAULT 0, day date);
     CREATE INDEX by_day ON app.orders (day);",
);

/// A database and a folder of migrations.
struct Case {
    db: Database,
    folder: tempfile::TempDir,
}

impl Case {
    /// With these migrations, applied.
    fn with(files: &[(&str, &str)]) -> Case {
        Case::on(Database::new(), files)
    }

    fn on(db: Database, files: &[(&str, &str)]) -> Case {
        let folder = tempfile::Builder::new().prefix("dbctl-it-").tempdir_in("/tmp").unwrap();
        let case = Case { db, folder };
        for (name, text) in files {
            case.file(name, text);
        }
        case.migrate();
        case
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("migrations")
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.dir()).unwrap();
        std::fs::write(self.dir().join(name), text).unwrap();
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self.path(name)
    }

    fn command(&self, command: &[&str], args: &[&str]) -> Command {
        let dir = self.dir().display().to_string();
        let mut command = dbctl(&[command, args, &["--dir", &dir]].concat());
        command.env("DATABASE_URL", self.db.url());
        command
    }

    #[track_caller]
    fn migrate(&self) {
        run(&mut self.command(&["migrate", "up"], &[])).expect_code(0);
    }

    fn drift(&self, args: &[&str]) -> Run {
        run(&mut self.command(&["drift"], args))
    }

    /// The stable ids of all differences, each behind its direction.
    #[track_caller]
    fn found(&self, args: &[&str]) -> Vec<String> {
        found(&self.drift(&[args, &["--format", "json"]].concat()))
    }

    /// The snapshot of the database as it is now, as a file.
    #[track_caller]
    fn snapshot(&self, name: &str) -> String {
        let path = self.path(name);
        run(dbctl(&["schema", "snapshot", "-o", &path]).env("DATABASE_URL", self.db.url())).expect_code(0);
        path
    }
}

#[track_caller]
fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr))
}

#[track_caller]
fn found(run: &Run) -> Vec<String> {
    let rows = json(run)["differences"].as_array().unwrap().clone();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.iter().map(|row| format!("{} {}", text(row, "direction"), text(row, "id"))).collect()
}

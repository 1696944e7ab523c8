//! `dbctl migrate rehearse` on real servers: what statements do is seen, limits hold, the copy goes
//! away, the target is not written.

mod endings;
mod filling;
mod places;
mod seen;
mod systems;
mod told;

use std::path::Path;
use std::process::Command;

use dbctl::pg::sandbox::{Options, Sandbox};
use serde_json::Value;

use crate::harness::{Database, Run, dbctl, private_server, run};

/// A target with applied and pending migrations.
struct Case {
    db: Database,
    dir: tempfile::TempDir,
}

impl Case {
    /// What is in `applied` is applied, what is in `pending` is not.
    fn on(db: Database, applied: &str, pending: &[&str]) -> Case {
        let dir = tempfile::Builder::new().prefix("dbctl-it-").tempdir_in("/tmp").unwrap();
        let case = Case { db, dir };
        case.file(1, applied);
        run(&mut case.dbctl(&["migrate", "up"])).expect_code(0);
        for (index, text) in pending.iter().enumerate() {
            case.file(index + 2, text);
        }
        case
    }

    fn with(applied: &str, pending: &[&str]) -> Case {
        Case::on(Database::new(), applied, pending)
    }

    fn file(&self, version: usize, text: &str) {
        std::fs::write(self.dir.path().join(format!("V{version}__step.sql")), text).unwrap();
    }

    fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn dbctl(&self, args: &[&str]) -> Command {
        let mut command = dbctl(args);
        command.arg("--dir").arg(self.dir()).env("DATABASE_URL", self.db.url());
        command
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut all = vec!["migrate", "rehearse"];
        all.extend(args);
        self.dbctl(&all)
    }

    #[track_caller]
    fn rehearse(&self, args: &[&str], code: i32) -> Run {
        run(&mut self.command(args)).expect_code(code)
    }

    #[track_caller]
    fn json(&self, args: &[&str], code: i32) -> Value {
        let mut all = args.to_vec();
        all.extend(["--format", "json"]);
        json(&self.rehearse(&all, code))
    }
}

#[track_caller]
fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", run.stdout, run.stderr))
}

/// The lines of the statements table.
#[track_caller]
fn statements(document: &Value) -> &Vec<Value> {
    document["statements"].as_array().unwrap()
}

/// The one line whose statement contains these words.
#[track_caller]
fn line<'a>(document: &'a Value, words: &str) -> &'a Value {
    let found: Vec<&Value> =
        statements(document).iter().filter(|line| line["statement"].as_str().unwrap().contains(words)).collect();
    assert_eq!(found.len(), 1, "{words}: {document:#}");
    found[0]
}

fn list(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

/// A server of the test's own: others would see its scratch databases come and go.
fn alone(major: u32) -> (Sandbox, Database) {
    let server = private_server(&Options { major: Some(major), ..Options::default() });
    let db = Database::at(&server);
    (server, db)
}

/// Scratch databases on the server.
fn scratches(db: &Database) -> Vec<String> {
    let rows = db.sql("SELECT datname FROM pg_database WHERE datname LIKE 'dbctl\\_scratch\\_%' ORDER BY 1");
    rows.into_iter().map(|row| row[0].clone().unwrap()).collect()
}

//! `dbctl migrate` on real servers, run as a stranger would run it.

mod bad_files;
mod bad_history;
mod down;
mod names;
mod new;
mod order;
mod plan;
mod refinery;
mod repair;
mod rights;
mod session;
mod status;
mod targets;
mod up;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{Database, Run, dbctl, run};

/// In every URL of these tests: trust does not ask for it, and nobody may ever read it again.
const PASSWORD: &str = "S3cret-Pa55word";

/// A database and a folder of migrations with a folder of rollbacks beside it.
struct Case {
    db: Database,
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Case {
        Case::at(Database::new())
    }

    fn at(db: Database) -> Case {
        let folder = tempfile::Builder::new().prefix("dbctl-it-").tempdir_in("/tmp").unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        std::fs::create_dir(folder.path().join("migrations")).unwrap();
        std::fs::create_dir(folder.path().join("rollback")).unwrap();
        Case { db, folder }
    }

    /// A case with these migrations.
    fn with(files: &[(&str, &str)]) -> Case {
        let case = Case::new();
        for (name, text) in files {
            case.file(name, text);
        }
        case
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("migrations")
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn rollback(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join("rollback").join(name), text).unwrap();
    }

    /// `dbctl migrate …` on this folder, as the superuser.
    fn command(&self, args: &[&str]) -> Command {
        self.command_on(&self.dir(), args)
    }

    /// `dbctl migrate …` on another folder.
    fn command_on(&self, dir: &Path, args: &[&str]) -> Command {
        let mut all = vec!["migrate"];
        all.extend(args);
        let mut command = dbctl(&all);
        command.arg("--dir").arg(dir).env("DATABASE_URL", with_password(&self.db.url()));
        command
    }

    #[track_caller]
    fn migrate(&self, args: &[&str]) -> Run {
        decent(&mut self.command(args))
    }

    #[track_caller]
    fn migrate_as(&self, role: &str, args: &[&str]) -> Run {
        decent(self.command(args).env("DATABASE_URL", with_password(&self.db.url_as(role))))
    }

    /// Applies what is pending.
    #[track_caller]
    fn up(&self) {
        self.migrate(&["up"]).expect_code(0);
    }

    /// The answer as JSON; exit code 0.
    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let mut all = args.to_vec();
        all.extend(["--format", "json"]);
        json(&self.migrate(&all).expect_code(0))
    }

    /// `version:state` of every version, as `status` has it.
    #[track_caller]
    fn states(&self) -> String {
        states(&self.json(&["status"]))
    }

    /// Versions in the history, in the order in which they were applied.
    #[track_caller]
    fn history(&self) -> String {
        let rows = self.db.sql("SELECT version FROM refinery_schema_history ORDER BY applied_on, version");
        rows.into_iter().map(|row| row[0].clone().unwrap()).collect::<Vec<_>>().join(" ")
    }

    /// A refusal: this exit code, and these words on stderr.
    #[track_caller]
    fn refuses(&self, args: &[&str], code: i32, words: &[&str]) -> Run {
        said(self.migrate(args).expect_code(code), words)
    }
}

/// Runs, and sees to what holds for every run: no panic, no password.
#[track_caller]
fn decent(command: &mut Command) -> Run {
    let run = run(command);
    for text in [&run.stdout, &run.stderr] {
        assert!(!text.contains("panicked"), "{text}");
        assert!(!text.contains(PASSWORD), "{text}");
    }
    for line in run.stderr.lines().filter_map(|line| line.strip_prefix("error: ")) {
        let first = line.chars().next().unwrap();
        assert!(!first.is_uppercase() || line.starts_with(['V', 'U', 'D']), "an error begins in lower case: {line}");
    }
    run
}

/// All these words are on stderr.
#[track_caller]
fn said(run: Run, words: &[&str]) -> Run {
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} is not in:\n{}", run.stderr);
    }
    run
}

#[track_caller]
fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stdout))
}

#[track_caller]
fn states(status: &Value) -> String {
    let one = |row: &Value| match row["version"].as_i64() {
        Some(version) => format!("{version}:{}", row["state"].as_str().unwrap()),
        None => row["state"].as_str().unwrap().to_owned(),
    };
    status["migrations"].as_array().unwrap().iter().map(one).collect::<Vec<_>>().join(" ")
}

/// What `detail` says of a version.
#[track_caller]
fn detail(status: &Value, version: i64) -> &str {
    let rows = status["migrations"].as_array().unwrap();
    rows.iter().find(|row| row["version"] == version).unwrap()["detail"].as_str().unwrap_or_default()
}

fn with_password(url: &str) -> String {
    url.replacen('@', &format!(":{PASSWORD}@"), 1)
}

/// A role that lives as long as the value. Roles belong to the whole server: the name is unique.
struct Role<'a> {
    db: &'a Database,
    name: String,
}

impl Role<'_> {
    fn new<'a>(db: &'a Database, what: &str, options: &str) -> Role<'a> {
        let name = format!("{what}_{}", db.name());
        db.sql(&format!("CREATE ROLE {} LOGIN {options}", quoted(&name)));
        Role { db, name }
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        let name = quoted(&self.name);
        let _ =
            self.db.try_sql(&format!("REASSIGN OWNED BY {name} TO postgres; DROP OWNED BY {name}; DROP ROLE {name}"));
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

//! `dbctl migrate lint`, run as a stranger would run it: alone, in a git repository, and beside a database.

mod answers;
mod comments;
mod database;
mod formats;
mod since;
mod truth;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{Run, dbctl, run};

/// A folder of migrations in a folder of its own.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Folder {
        let folder = Folder(tempfile::Builder::new().prefix("dbctl-it-").tempdir_in("/tmp").unwrap());
        std::fs::create_dir(folder.dir()).unwrap();
        for (name, text) in files {
            folder.file(name, text);
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn dir(&self) -> PathBuf {
        self.path().join("migrations")
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.dir().join(name), text).unwrap();
    }

    /// `dbctl migrate lint --dir migrations …`, in the folder above.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = dbctl(&["migrate", "lint", "--dir", "migrations"]);
        command.args(args).current_dir(self.path());
        command
    }

    #[track_caller]
    fn lint(&self, args: &[&str]) -> Run {
        decent(&mut self.command(args))
    }

    /// `rule@file:line` of every finding.
    #[track_caller]
    fn found(&self, args: &[&str]) -> Vec<String> {
        found(&json(&self.lint(&[args, &["--format", "json"]].concat())))
    }
}

/// Runs; whatever happens, nothing panics.
#[track_caller]
fn decent(command: &mut Command) -> Run {
    let run = run(command);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

#[track_caller]
fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", run.stdout, run.stderr))
}

fn found(document: &Value) -> Vec<String> {
    let findings = document["findings"].as_array().unwrap();
    let one = |it: &Value| {
        let file = it["file"].as_str().unwrap().rsplit('/').next().unwrap().trim_end_matches(".sql").to_owned();
        format!("{}@{file}:{}", it["rule"].as_str().unwrap(), it["line"])
    };
    findings.iter().map(one).collect()
}

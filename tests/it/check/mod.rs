//! `dbctl check` on real servers: every check OK, WARN, CRIT and UNKNOWN, and how it is told.

mod brought;
mod forms;
mod kept;
mod levels;
mod places;
mod unknown;

use std::path::Path;

use serde_json::Value;

use crate::harness::{Run, dbctl, run};

/// What a check with this dbctl.yaml says.
fn check(url: &str, folder: &Path, yaml: &str, args: &[&str]) -> Run {
    std::fs::write(folder.join("dbctl.yaml"), yaml).unwrap();
    let mut command = dbctl(&["check"]);
    command.args(args).env("DATABASE_URL", url).current_dir(folder);
    command.args(["--state", folder.join("check.json").to_str().unwrap()]);
    run(&mut command)
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", run.stdout, run.stderr))
}

/// Level and message of a check.
fn verdict(answer: &Value, check: &str) -> (String, String) {
    let rows = answer["checks"].as_array().unwrap();
    let row = rows.iter().find(|row| row["check"] == check).unwrap_or_else(|| panic!("{check} in {answer:#}"));
    (row["level"].as_str().unwrap().to_owned(), row["message"].as_str().unwrap().to_owned())
}

fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("dbctl-it-").tempdir_in("/tmp").unwrap()
}
